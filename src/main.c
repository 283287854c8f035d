#include <stdio.h>

int main(void)
{
    puts("postrider");
    return 0;
}
