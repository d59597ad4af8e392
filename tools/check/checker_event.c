
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The event core as this program uses it: events are declared, checked, and
 * written again.
 */


#include "checker.h"
#include "enkod_json.h"


static void *checker_event_alloc(void *ctx, size_t size);
static void checker_event_free(void *ctx, void *p);
static size_t checker_event_word(const char **text, char *word, int *quoted);
static int checker_event_utf8(const char *text);


int
checker_event_init(checker_t *checker)
{
    checker->mem.alloc = checker_event_alloc;
    checker->mem.free = checker_event_free;

    if (enkod_schema_init(&checker->schema, &checker->mem) != 0) {
        return -1;
    }

    checker->block = malloc(enkod_event_size());
    if (checker->block == NULL) {
        return -1;
    }

    checker->settings.schema = &checker->schema;
    checker->settings.max_size = 2 * CHECKER_MAX_LINE;
    checker->settings.extra = ENKOD_EXTRA_KEEP;

    return 0;
}


static void *
checker_event_alloc(void *ctx, size_t size)
{
    (void) ctx;

    return malloc(size);
}


static void
checker_event_free(void *ctx, void *p)
{
    (void) ctx;

    free(p);
}


/*
 * What stands behind enkod_event in nginx.conf.  A name with spaces need not
 * be quoted: it goes on to the first word with "=".
 */

int
checker_event_declare(checker_t *checker, const char *text)
{
    int               quoted, nwords;
    char             *name, *p;
    size_t            len, name_len;
    const char       *error, *next;
    enkod_str_t       str;
    enkod_shape_t    *shape;
    checker_words_t  *words;

    len = strlen(text);

    /* the words live as long as the schema; a name takes one of its own */

    words = malloc(sizeof(checker_words_t) + 3 * len + 3);
    if (words == NULL) {
        checker_error(checker, 0, "no memory");
        return -1;
    }

    words->next = checker->words;
    checker->words = words;

    name = words->text;
    p = name + len + 1;
    next = text;
    name_len = 0;
    shape = NULL;
    error = NULL;

    if (!checker_event_utf8(text)) {
        error = "names must be valid UTF-8";
        goto failed;
    }

    for (nwords = 0; /* void */; nwords++) {

        len = checker_event_word(&next, p, &quoted);

        if (len == (size_t) -1) {
            error = "a quote is not closed";
            goto failed;
        }

        if (len == 0 && !quoted) {
            break;
        }

        if (shape == NULL
            && (nwords == 0 || (!quoted && memchr(p, '=', len) == NULL)))
        {
            if (nwords) {
                name[name_len++] = ' ';
            }

            memcpy(name + name_len, p, len);
            name_len += len;

            if (!quoted) {
                continue;
            }
        }

        if (shape == NULL) {
            str.data = (unsigned char *) name;
            str.len = name_len;

            shape = enkod_schema_declare(&checker->schema, &str, &error);
            if (shape == NULL) {
                goto failed;
            }

            if (nwords == 0) {
                continue;
            }
        }

        str.data = (unsigned char *) p;
        str.len = len;

        if (enkod_schema_declare_field(&checker->schema, shape, &str, &error)
            == NULL)
        {
            goto failed;
        }

        p += len;
    }

    if (shape == NULL) {
        str.data = (unsigned char *) name;
        str.len = name_len;

        if (enkod_schema_declare(&checker->schema, &str, &error) == NULL) {
            goto failed;
        }
    }

    return 0;

failed:

    checker_error(checker, 0, "invalid --event \"%s\": %s", text, error);

    return -1;
}


/*
 * The next word, as in nginx.conf, and its length: 0 at the end, -1 if a quote
 * is not closed.
 */

static size_t
checker_event_word(const char **text, char *word, int *quoted)
{
    char         quote, *w;
    const char  *p;

    p = *text;
    w = word;

    p += strspn(p, " \t\r\n");

    quote = (*p == '"' || *p == '\'') ? *p++ : '\0';
    *quoted = (quote != '\0');

    while (*p) {

        if (quote ? *p == quote : strchr(" \t\r\n", *p) != NULL) {
            break;
        }

        if (*p == '\\' && p[1] != '\0' && strchr("\"'\\", p[1]) != NULL) {
            p++;
        }

        *w++ = *p++;
    }

    if (quote && *p++ != quote) {
        return -1;
    }

    *text = p;

    return w - word;
}


static int
checker_event_utf8(const char *text)
{
    size_t              len;
    enkod_error_e       error;
    enkod_json_guard_t  guard;

    for ( /* void */ ; *text; text += len) {

        /* an escape or a form feed is nothing that matters here */

        len = strcspn(text, "\\\v\f");

        if (len == 0) {
            len = 1;
            continue;
        }

        memset(&guard, 0, sizeof(enkod_json_guard_t));

        if (enkod_json_guard(&guard, (const unsigned char *) text, len, &error)
            != len || guard.need)
        {
            return 0;
        }
    }

    return 1;
}


const enkod_refusal_t *
checker_event_check(checker_t *checker, const unsigned char *p, size_t len,
    int *ended)
{
    enkod_error_e           rc;
    const enkod_refusal_t  *refusal;

    checker_event_done(checker);

    checker->event = enkod_event_init(checker->block, &checker->settings,
                                      &checker->mem);
    if (checker->event == NULL) {
        checker_error(checker, 0, "no memory");
        exit(CHECKER_ERROR);
    }

    *ended = 0;

    rc = enkod_event_feed(checker->event, p, len, 1);

    if (rc == ENKOD_OK) {
        rc = enkod_event_finish(checker->event);
        *ended = (rc == ENKOD_INVALID_JSON);
    }

    if (rc == ENKOD_OK) {
        return NULL;
    }

    refusal = enkod_event_refusal(checker->event);

    if (rc == ENKOD_NO_MEMORY) {
        checker_error(checker, 0, "no memory");
        exit(CHECKER_ERROR);
    }

    return refusal;
}


void
checker_event_done(checker_t *checker)
{
    if (checker->event) {
        enkod_event_destroy(checker->event);
        checker->event = NULL;
    }
}


enkod_str_t
checker_event_write(checker_t *checker, int flat)
{
    size_t          len, name;
    enkod_str_t     text;
    unsigned char  *p, *end;

    static const char  extra[] = ",\"extra\":{";

    len = enkod_event_length(checker->event);

    p = checker_room(&checker->output, len + 1, 0);
    end = enkod_event_write(checker->event, p);

    name = sizeof("\"event\":\"\"") - 1 + enkod_event_name(checker->event).len;

    if (flat && len > name) {

        /* all that is behind the name is the object of extra members */

        len -= sizeof(extra) - 1;
        memmove(p + name + 1, p + name + sizeof(extra) - 1, len - name);
        p[name] = ',';

    } else {
        *end = '}';
    }

    text.data = p;
    text.len = len + 1;

    return text;
}


void
checker_event_where(const enkod_refusal_t *refusal, char *text)
{
    int  n;

    n = 0;
    text[0] = '\0';

    if (refusal->field.len) {
        n = snprintf(text, CHECKER_TEXT_SIZE, ", field \"%.*s\"",
                     (int) refusal->field.len,
                     (const char *) refusal->field.data);
    }

    if (refusal->expected && n < CHECKER_TEXT_SIZE) {
        (void) snprintf(text + n, CHECKER_TEXT_SIZE - n, ", expected: %s",
                        refusal->expected);
    }
}
