
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The table of events: the built-in rows, how names are looked up, and how
 * types are named.
 */


#include "table.h"


static const struct {
    const char           *name;
    unsigned              any_of;
    const char           *fields[9];    /* NAME=TYPE as in a declaration */
} rows[] = {

    { "message sent", 0,
      { "message_id=integer", "message_uid=string", "sending_type=string",
        "name=string", "from=string", "to=string", NULL } },

    { "delivery bounce", 0,
      { "message_id=integer", "message_uid=string", "sending_type=string",
        "name=string", "from=string", "to=string", "error_message=string",
        NULL } },

    { "message open", 0,
      { "message_id=integer", "message_uid=string", "sending_type=string",
        "name=string", "from=string", "to=string", NULL } },

    { "message clicked", 0,
      { "message_id=integer", "message_uid=string", "sending_type=string",
        "name=string", "from=string", "to=string", "click_url=string",
        NULL } },

    { "complaint", 0,
      { "message_id=integer", "message_uid=string", "sending_type=string",
        "name=string", "from=string", "to=string", NULL } },

    { "mailing group subscribe", 0,
      { "email=string", "group_id=integer", "group_name=string",
        "channel=string", NULL } },

    { "mailing group unsubscribe", 0,
      { "email=string", "group_id=integer", "group_name=string",
        "channel=string", NULL } },

    { "contact adding", 2,
      { "email=string?", "phone=string?", "groups_names=strings",
        "groups_ids=integers", NULL } }
};


static const struct {
    const char           *cyrillic;
    const char           *latin;
} lookalikes[] = {
    { "\xd0\xb0", "a" }, { "\xd0\xb2", "b" }, { "\xd0\xb5", "e" },
    { "\xd0\xba", "k" }, { "\xd0\xbc", "m" }, { "\xd0\xbd", "h" },
    { "\xd0\xbe", "o" }, { "\xd1\x80", "p" }, { "\xd1\x81", "c" },
    { "\xd1\x82", "t" }, { "\xd1\x83", "y" }, { "\xd1\x85", "x" },
    { "\xd0\x90", "A" }, { "\xd0\x92", "B" }, { "\xd0\x95", "E" },
    { "\xd0\x9a", "K" }, { "\xd0\x9c", "M" }, { "\xd0\x9d", "H" },
    { "\xd0\x9e", "O" }, { "\xd0\xa0", "P" }, { "\xd0\xa1", "C" },
    { "\xd0\xa2", "T" }, { "\xd0\xa3", "Y" }, { "\xd0\xa5", "X" }
};


#define LOOKALIKES  (sizeof(lookalikes) / sizeof(lookalikes[0]))


static void builtin(void);
static void same(void);
static int are_same(const char *one, const char *two);
static void find(void);
static void type_names(void);


int
main(void)
{
    builtin();
    same();
    find();
    type_names();

    return tap_done();
}


static void
builtin(void)
{
    int                   ok;
    unsigned              i, n;
    enkod_str_t           name;
    const enkod_shape_t  *shape;

    table_begin();

    tap_ok(table.nshapes == sizeof(rows) / sizeof(rows[0]),
           "there are eight events at first");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        shape = table_find(rows[i].name);
        name = unit_str(rows[i].name);

        ok = shape != NULL && enkod_str_equal(&shape->name, &name)
             && !shape->declared && shape->any_of == rows[i].any_of;

        for (n = 0; ok && rows[i].fields[n] != NULL; n++) {
            ok = n < shape->nfields
                 && table_is_field(&shape->fields[n], rows[i].fields[n]);
        }

        tap_ok(ok && n == shape->nfields,
               "\"%s\" has the fields of the vendor's page in their order",
               rows[i].name);
    }

    table_end();
}


static void
same(void)
{
    int            ok, must;
    size_t         i, n;
    unsigned       a, b;
    unsigned char  letter[3];

    ok = 1;

    for (i = 0; i < LOOKALIKES; i++) {

        if (!are_same(lookalikes[i].cyrillic, lookalikes[i].latin)
            || !are_same(lookalikes[i].latin, lookalikes[i].cyrillic)
            || !are_same(lookalikes[i].cyrillic, lookalikes[i].cyrillic))
        {
            tap_diag("%s", lookalikes[i].latin);
            ok = 0;
        }
    }

    tap_ok(ok, "the 24 Cyrillic letters that look like Latin ones are these");

    ok = 1;

    for (a = 0x80; a < 0x800; a++) {

        letter[0] = 0xc0 | (a >> 6);
        letter[1] = 0x80 | (a & 0x3f);
        letter[2] = '\0';

        for (b = 1; b < 0x80; b++) {
            char  latin[2] = { b, '\0' };

            must = 0;

            for (n = 0; n < LOOKALIKES; n++) {
                must |= strcmp((char *) letter, lookalikes[n].cyrillic) == 0
                        && strcmp(latin, lookalikes[n].latin) == 0;
            }

            if (are_same((char *) letter, latin) != must) {
                tap_diag("U+%04x and %s", a, latin);
                ok = 0;
            }
        }
    }

    tap_ok(ok, "no other letter of two bytes is a Latin one");

    tap_ok(are_same("", "") && are_same("a", "a") && !are_same("a", "A")
           && !are_same("a", "") && !are_same("", "a")
           && !are_same("ab", "a") && !are_same("a", "ab")
           && !are_same("\xd0\xb0", "") && !are_same("", "\xd0\xb0")
           && !are_same("ab", "\xd0\xb0") && !are_same("\xd0\xb0", "ab"),
           "names are compared to their ends");

    tap_ok(are_same("\xd1\x81" "a\xd0\xb0\xd0\xb6", "c\xd0\xb0" "a\xd0\xb6")
           && !are_same("\xd0\xb6", "\xd0\xb7")
           && !are_same("\xd0\xb0", "\xd0\x90"),
           "names of both kinds of letters are compared letter by letter");

    tap_ok(are_same("a\xd0", "a\xd0") && !are_same("a\xd0", "a\xd1")
           && !are_same("\xd0", "\xd0\xb0") && !are_same("\xd0\xb0", "\xd0")
           && !are_same("\xd0", ""),
           "half a letter at the end is compared in safety");

    tap_ok(!are_same("\xd0" "p", "a") && !are_same("\xd0\xf0", "a")
           && are_same("\xd0" "a", "\xd0\xd0\xb0"),
           "half a letter before another one is none");
}


/* Each name has memory of its own, so that a sanitizer sees its end. */

static int
are_same(const char *one, const char *two)
{
    int          same;
    char        *p, *q;
    enkod_str_t  a, b;

    a = unit_str(one);
    b = unit_str(two);

    p = malloc(a.len ? a.len : 1);
    q = malloc(b.len ? b.len : 1);

    if (p == NULL || q == NULL) {
        abort();
    }

    memcpy(p, one, a.len);
    memcpy(q, two, b.len);

    a.data = (unsigned char *) p;
    b.data = (unsigned char *) q;

    same = enkod_schema_same(&a, &b);

    free(p);
    free(q);

    return same != 0;
}


static void
find(void)
{
    enkod_str_t  name;

    static unsigned char  buf[65536];

    table_begin();

    tap_ok(table_find("\xd1\x81omplaint") == table_find("complaint")
           && table_find("complaint") != NULL,
           "a complaint is found in both spellings");

    tap_ok(table_find("mess\xd0\xb0g\xd0\xb5 s\xd0\xb5nt")
           == table_find("message sent"),
           "a name is found with any of its letters in Cyrillic");

    tap_ok(table_find("Complaint") == NULL, "a name is not found in capitals");

    tap_ok(table_find("complain") == NULL && table_find("complaints") == NULL
           && table_find("") == NULL,
           "a name is found as a whole only");

    memset(buf, 'a', sizeof(buf));
    name.data = buf;
    name.len = sizeof(buf);
    tap_ok(enkod_schema_find(&table, &name) == NULL,
           "a name of 64 KiB is looked up in safety");

    table_end();
}


static void
type_names(void)
{
    int       ok;
    unsigned  i;

    ok = 1;

    for (i = 0; i < ENKOD_NTYPES; i++) {
        ok = ok && strcmp(enkod_type_name(i), table_types[i].text) == 0;
    }

    tap_ok(ok, "each type has a name for the answer");
}
