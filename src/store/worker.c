/* The worker: long work that callers on fibers must not wait for, one after the other. */
#include "store/embedded.h"

void embedded_work(struct engine *engine, struct engine_work *w)
{
    struct embedded *e = embedded_of(engine);
    pthread_mutex_lock(&e->tend_lock);
    *e->work_end = &w->intent;
    e->work_end = &w->intent.next;
    pthread_cond_signal(&e->work_wanted);
    pthread_mutex_unlock(&e->tend_lock);
}

void *worker_run(void *engine)
{
    struct embedded *e = engine;
    for (;;) {
        pthread_mutex_lock(&e->tend_lock);
        while (e->work == NULL && !e->worker_stop) {
            pthread_cond_wait(&e->work_wanted, &e->tend_lock);
        }
        struct intent *i = e->work;
        if (i != NULL) {
            e->work = i->next;
            if (e->work == NULL) e->work_end = &e->work;
            i->next = NULL;
        }
        pthread_mutex_unlock(&e->tend_lock);
        if (i == NULL) return NULL;
        /* The intent is the first member of its work. */
        engine_work_run(&e->engine, (struct engine_work *)(void *)i);
        i->done(i);
    }
}
