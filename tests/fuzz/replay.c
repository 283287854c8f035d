/* Runs a fuzz target once over every file of its saved corpus: the regression side of fuzzing, for
 * builds without libFuzzer. Each file goes in as it is and cut at its half. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        return 1;
    }
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    /* Exact size, so that the address sanitizer sees a read one byte past the end. */
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    size_t n = data != NULL ? fread(data, 1, (size_t)size, f) : 0;
    fclose(f);
    LLVMFuzzerTestOneInput(data, n);
    uint8_t *half = malloc(n / 2 + 1);
    for (size_t i = 0; half != NULL && i < n / 2; i++) {
        half[i] = data[i];
    }
    LLVMFuzzerTestOneInput(half, n / 2);
    free(half);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    if (folder == NULL) {
        perror(argv[1]);
        return 1;
    }
    int files = 0, bad = 0;
    for (struct dirent *d; (d = readdir(folder)) != NULL;) {
        char path[2048];
        if (d->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], d->d_name);
        bad += replay(path);
        files++;
    }
    closedir(folder);
    printf("%d files replayed\n", files);
    return bad > 0 || files == 0;
}
