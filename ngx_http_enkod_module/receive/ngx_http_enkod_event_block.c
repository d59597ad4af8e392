
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The memory of an event.  An event does not fit into what the pool of a
 * request has left, and one more block for the pool would cost more than all
 * other memory of a request; so a worker keeps a few blocks for the next
 * events.
 */


#include "ngx_http_enkod_ctx.h"
#include "ngx_http_enkod_event_block.h"
#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_receive.h"


/*
 * Blocks that a worker keeps, each of about 2 KiB; none where nginx gives
 * memory back at once, so that a use after free is seen.
 */

#if (NGX_DEBUG_PALLOC)
#define NGX_HTTP_ENKOD_MAX_SPARES  0
#else
#define NGX_HTTP_ENKOD_MAX_SPARES  32
#endif


typedef struct ngx_http_enkod_spare_s  ngx_http_enkod_spare_t;

struct ngx_http_enkod_spare_s {
    ngx_http_enkod_spare_t      *next;
};


static void *ngx_http_enkod_event_block_alloc(void *data, size_t size);
static void ngx_http_enkod_event_block_release(void *data, void *p);


static ngx_http_enkod_spare_t  *ngx_http_enkod_spares;
static ngx_uint_t               ngx_http_enkod_nspares;


ngx_int_t
ngx_http_enkod_event_block_create(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx)
{
    ngx_http_enkod_spare_t     *block;
    ngx_http_enkod_loc_conf_t  *elcf;

    static const enkod_mem_t  mem = {
        ngx_http_enkod_event_block_alloc, ngx_http_enkod_event_block_release,
        NULL
    };

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    block = ngx_http_enkod_spares;

    if (block) {
        ngx_http_enkod_spares = block->next;
        ngx_http_enkod_nspares--;

        ctx->event = enkod_event_renew((enkod_event_t *) block,
                                       &elcf->settings);

    } else {
        block = ngx_alloc(enkod_event_size(), r->connection->log);
        if (block == NULL) {
            return NGX_ERROR;
        }

        ctx->event = enkod_event_init(block, &elcf->settings, &mem);
    }

    if (ctx->event == NULL) {
        ngx_free(block);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_enkod_event_block_free(ngx_http_enkod_ctx_t *ctx)
{
    ngx_http_enkod_spare_t  *block;

    if (ctx->event == NULL) {
        return;
    }

    enkod_event_destroy(ctx->event);

    if (ngx_http_enkod_nspares == NGX_HTTP_ENKOD_MAX_SPARES) {
        ngx_free(ctx->event);
        return;
    }

    block = (ngx_http_enkod_spare_t *) ctx->event;
    block->next = ngx_http_enkod_spares;

    ngx_http_enkod_spares = block;
    ngx_http_enkod_nspares++;
}


/* The list is in the memory of the module, which ends when it is unloaded. */

void
ngx_http_enkod_event_block_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_enkod_spare_t  *block;

    while (ngx_http_enkod_spares) {
        block = ngx_http_enkod_spares;
        ngx_http_enkod_spares = block->next;
        ngx_free(block);
    }

    ngx_http_enkod_nspares = 0;
}


static void *
ngx_http_enkod_event_block_alloc(void *data, size_t size)
{
    return ngx_alloc(size, ngx_cycle->log);
}


static void
ngx_http_enkod_event_block_release(void *data, void *p)
{
    ngx_free(p);
}
