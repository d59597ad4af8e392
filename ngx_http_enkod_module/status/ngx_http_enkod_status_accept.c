
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Accept is a list of media ranges, each with parameters.  A range names one
 * type, or all of them that begin alike, or all.  The quality of a type is that
 * of the most exact range that it is in.  What is not understood is skipped.
 */


#include "ngx_http_enkod_status_accept.h"


/* types that can be sent, at most */
#define NGX_HTTP_ENKOD_STATUS_MAX_TYPES  8

/* how exactly a range names a type; 0: not at all */
#define NGX_HTTP_ENKOD_STATUS_ANY        1
#define NGX_HTTP_ENKOD_STATUS_TYPE       2
#define NGX_HTTP_ENKOD_STATUS_SUBTYPE    3
#define NGX_HTTP_ENKOD_STATUS_VERSION    4

#define NGX_HTTP_ENKOD_STATUS_QUALITY    1000


typedef struct {
    ngx_str_t                    type;
    ngx_str_t                    subtype;
    ngx_str_t                    version;
    ngx_uint_t                   quality;   /* 0 to 1000 */
} ngx_http_enkod_status_range_t;


typedef struct {
    ngx_uint_t                   exact;
    ngx_uint_t                   quality;
} ngx_http_enkod_status_rank_t;


static ngx_uint_t ngx_http_enkod_status_accept_better(
    ngx_http_enkod_status_rank_t *rank, ngx_http_enkod_status_rank_t *other);
static void ngx_http_enkod_status_accept_value(ngx_str_t *value,
    const ngx_http_enkod_status_type_t *types, ngx_uint_t ntypes,
    ngx_http_enkod_status_rank_t *ranks);
static u_char *ngx_http_enkod_status_accept_range(u_char *p, u_char *last,
    ngx_http_enkod_status_range_t *range);
static void ngx_http_enkod_status_accept_parameter(ngx_str_t *text,
    ngx_http_enkod_status_range_t *range);
static ngx_uint_t ngx_http_enkod_status_accept_quality(ngx_str_t *text);
static ngx_uint_t ngx_http_enkod_status_accept_match(
    ngx_http_enkod_status_range_t *range,
    const ngx_http_enkod_status_type_t *type);
static u_char *ngx_http_enkod_status_accept_part(u_char *p, u_char *last,
    ngx_str_t *part);
static ngx_uint_t ngx_http_enkod_status_accept_same(const ngx_str_t *one,
    const ngx_str_t *other);


ngx_uint_t
ngx_http_enkod_status_accept(ngx_http_request_t *r,
    const ngx_http_enkod_status_type_t *types, ngx_uint_t ntypes)
{
    ngx_uint_t                    i, best;
    ngx_list_part_t              *part;
    ngx_table_elt_t              *header;
    ngx_http_enkod_status_rank_t  ranks[NGX_HTTP_ENKOD_STATUS_MAX_TYPES];

    ngx_memzero(ranks, sizeof(ranks));

    /* r->headers_in.accept depends on how nginx was built */

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (header[i].key.len == sizeof("Accept") - 1
                && ngx_strncasecmp(header[i].key.data, (u_char *) "Accept",
                                   sizeof("Accept") - 1)
                   == 0)
            {
                ngx_http_enkod_status_accept_value(&header[i].value, types,
                                                   ntypes, ranks);
            }
        }
    }

    best = 0;

    for (i = 1; i < ntypes; i++) {
        if (ngx_http_enkod_status_accept_better(&ranks[i], &ranks[best])) {
            best = i;
        }
    }

    return best;
}


/* A version makes a type no better than one that has none. */

static ngx_uint_t
ngx_http_enkod_status_accept_better(ngx_http_enkod_status_rank_t *rank,
    ngx_http_enkod_status_rank_t *other)
{
    if (rank->quality != other->quality) {
        return rank->quality > other->quality;
    }

    return rank->quality && rank->exact > other->exact
           && other->exact < NGX_HTTP_ENKOD_STATUS_SUBTYPE;
}


static void
ngx_http_enkod_status_accept_value(ngx_str_t *value,
    const ngx_http_enkod_status_type_t *types, ngx_uint_t ntypes,
    ngx_http_enkod_status_rank_t *ranks)
{
    u_char                         *p, *last;
    ngx_uint_t                      i, exact;
    ngx_http_enkod_status_range_t   range;

    p = value->data;
    last = p + value->len;

    while (p < last) {

        p = ngx_http_enkod_status_accept_range(p, last, &range);

        for (i = 0; i < ntypes; i++) {

            exact = ngx_http_enkod_status_accept_match(&range, &types[i]);

            if (exact > ranks[i].exact) {
                ranks[i].exact = exact;
                ranks[i].quality = range.quality;

            } else if (exact && exact == ranks[i].exact) {
                ranks[i].quality = ngx_max(ranks[i].quality, range.quality);
            }
        }
    }
}


/* Reads a range and the comma behind it; returns its end. */

static u_char *
ngx_http_enkod_status_accept_range(u_char *p, u_char *last,
    ngx_http_enkod_status_range_t *range)
{
    u_char     *slash;
    ngx_str_t   text;

    ngx_memzero(range, sizeof(ngx_http_enkod_status_range_t));

    range->quality = NGX_HTTP_ENKOD_STATUS_QUALITY;

    p = ngx_http_enkod_status_accept_part(p, last, &text);

    slash = ngx_strlchr(text.data, text.data + text.len, '/');

    if (slash) {
        range->type.data = text.data;
        range->type.len = slash - text.data;

        range->subtype.data = slash + 1;
        range->subtype.len = text.data + text.len - range->subtype.data;
    }

    while (p < last && *p == ';') {
        p = ngx_http_enkod_status_accept_part(p + 1, last, &text);
        ngx_http_enkod_status_accept_parameter(&text, range);
    }

    return p < last ? p + 1 : last;
}


static void
ngx_http_enkod_status_accept_parameter(ngx_str_t *text,
    ngx_http_enkod_status_range_t *range)
{
    u_char     *p;
    ngx_str_t   name, value;

    static ngx_str_t  q = ngx_string("q");
    static ngx_str_t  version = ngx_string("version");

    p = ngx_strlchr(text->data, text->data + text->len, '=');

    if (p == NULL) {
        return;
    }

    name.data = text->data;
    name.len = p - text->data;

    value.data = p + 1;
    value.len = text->data + text->len - value.data;

    if (ngx_http_enkod_status_accept_same(&name, &q)) {
        range->quality = ngx_http_enkod_status_accept_quality(&value);

    } else if (ngx_http_enkod_status_accept_same(&name, &version)) {

        if (value.len >= 2
            && value.data[0] == '"' && value.data[value.len - 1] == '"')
        {
            value.data++;
            value.len -= 2;
        }

        range->version = value;
    }
}


/* "0.25" is 250; what is not a number is 0 */

static ngx_uint_t
ngx_http_enkod_status_accept_quality(ngx_str_t *text)
{
    size_t      i;
    ngx_uint_t  quality, unit;

    if (text->len == 0
        || (text->data[0] != '0' && text->data[0] != '1')
        || (text->len > 1 && text->data[1] != '.'))
    {
        return 0;
    }

    unit = NGX_HTTP_ENKOD_STATUS_QUALITY;
    quality = (text->data[0] - '0') * unit;

    for (i = 2; i < text->len; i++) {

        if (text->data[i] < '0' || text->data[i] > '9') {
            return 0;
        }

        unit /= 10;
        quality += (text->data[i] - '0') * unit;
    }

    return ngx_min(quality, NGX_HTTP_ENKOD_STATUS_QUALITY);
}


/* How exactly the range names the type. */

static ngx_uint_t
ngx_http_enkod_status_accept_match(ngx_http_enkod_status_range_t *range,
    const ngx_http_enkod_status_type_t *type)
{
    static ngx_str_t  any = ngx_string("*");

    if (ngx_http_enkod_status_accept_same(&range->type, &any)) {
        return NGX_HTTP_ENKOD_STATUS_ANY;
    }

    if (!ngx_http_enkod_status_accept_same(&range->type, &type->type)) {
        return 0;
    }

    if (ngx_http_enkod_status_accept_same(&range->subtype, &any)) {
        return NGX_HTTP_ENKOD_STATUS_TYPE;
    }

    if (!ngx_http_enkod_status_accept_same(&range->subtype, &type->subtype)) {
        return 0;
    }

    if (range->version.len == 0 || type->version.len == 0) {
        return NGX_HTTP_ENKOD_STATUS_SUBTYPE;
    }

    return ngx_http_enkod_status_accept_same(&range->version, &type->version)
           ? NGX_HTTP_ENKOD_STATUS_VERSION : 0;
}


/*
 * The text up to the next ";" or ",", without the spaces around it; returns
 * the place of that character.
 */

static u_char *
ngx_http_enkod_status_accept_part(u_char *p, u_char *last, ngx_str_t *part)
{
    u_char      *end;
    ngx_uint_t   quoted;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    quoted = 0;

    for (end = p; end < last; end++) {

        if (*end == '"') {
            quoted = !quoted;

        } else if (!quoted && (*end == ';' || *end == ',')) {
            break;
        }
    }

    part->data = p;
    part->len = end - p;

    while (part->len
           && (p[part->len - 1] == ' ' || p[part->len - 1] == '\t'))
    {
        part->len--;
    }

    return end;
}


static ngx_uint_t
ngx_http_enkod_status_accept_same(const ngx_str_t *one, const ngx_str_t *other)
{
    return one->len == other->len
           && ngx_strncasecmp(one->data, other->data, one->len) == 0;
}
