
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_answer.h"
#include "replay_header.h"
#include "../lib/tool_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>


static int replay_rules_add(replay_rules_t *rules, const char *option,
    const char *value, int wanted);
static int replay_answer_body(replay_answer_t *answer, char *why);


int
replay_rules_expect(replay_rules_t *rules, const char *value)
{
    return replay_rules_add(rules, "--expect", value, 1);
}


int
replay_rules_refuse(replay_rules_t *rules, const char *value)
{
    return replay_rules_add(rules, "--refuse", value, 0);
}


static int
replay_rules_add(replay_rules_t *rules, const char *option, const char *value,
    int wanted)
{
    int                rc;
    char               text[128];
    replay_pattern_t  *patterns, *added;

    patterns = realloc(rules->patterns,
                       (rules->npatterns + 1) * sizeof(replay_pattern_t));

    if (patterns == NULL) {
        tool_error(0, "no memory");
        return -1;
    }

    rules->patterns = patterns;

    added = &patterns[rules->npatterns];
    added->value = value;
    added->wanted = wanted;

    rc = regcomp(&added->regex, value, REG_EXTENDED|REG_NOSUB);

    /* an empty one matches everything */

    if (rc == 0 && *value == '\0') {
        regfree(&added->regex);
        (void) strcpy(text, ", and not empty");

    } else if (rc != 0) {
        (void) strcpy(text, ": ");
        (void) regerror(rc, &added->regex, text + 2, sizeof(text) - 2);

    } else {
        rules->npatterns++;
        return 0;
    }

    tool_error(0, "invalid %s \"%s\": it must be a POSIX extended regular"
               " expression%s", option, value, text);

    return -1;
}


int
replay_rules_refuse_header(replay_rules_t *rules, const char *value)
{
    const char  **names;

    if (*value == '\0' || value[replay_header_name(value)] != '\0') {
        tool_error(0, "invalid --refuse-header \"%s\": it must be the name of"
                   " a header", value);
        return -1;
    }

    names = realloc(rules->names, (rules->nnames + 1) * sizeof(char *));

    if (names == NULL) {
        tool_error(0, "no memory");
        return -1;
    }

    names[rules->nnames++] = value;

    rules->names = names;

    return 0;
}


void
replay_answer_begin(replay_answer_t *answer, const replay_rules_t *rules)
{
    answer->rules = rules;
    answer->len = 0;
    answer->large = 0;
    answer->name = NULL;
}


/* status lines, headers and trailers, one at a time */

size_t
replay_answer_header(char *data, size_t size, size_t n, void *ctx)
{
    size_t            i, len;
    const char      **names;
    replay_answer_t  *answer = ctx;

    size *= n;

    if (size > 5 && memcmp(data, "HTTP/", 5) == 0) {
        /* the headers before were those of an answer of 1xx */
        answer->name = NULL;
    }

    names = answer->rules->names;

    for (i = 0; i < answer->rules->nnames; i++) {

        len = strlen(names[i]);

        if (size > len && data[len] == ':'
            && strncasecmp(data, names[i], len) == 0)
        {
            answer->name = names[i];
        }
    }

    return size;
}


size_t
replay_answer_write(char *data, size_t size, size_t n, void *ctx)
{
    size_t            len;
    replay_answer_t  *answer = ctx;

    size *= n;

    len = REPLAY_ANSWER_SIZE - answer->len;

    if (size > len) {
        answer->large = 1;

    } else {
        len = size;
    }

    memcpy(answer->body + answer->len, data, len);

    answer->len += len;

    return size;
}


int
replay_answer_check(replay_answer_t *answer, char *why)
{
    if (answer->name) {
        (void) snprintf(why, REPLAY_WHY_SIZE, "it has the header \"%s\"",
                        answer->name);
        return -1;
    }

    return answer->rules->npatterns ? replay_answer_body(answer, why) : 0;
}


static int
replay_answer_body(replay_answer_t *answer, char *why)
{
    size_t                   i;
    const replay_pattern_t  *pattern;

    if (answer->large) {
        (void) snprintf(why, REPLAY_WHY_SIZE, "its body is larger than what"
                        " is checked, %d bytes", REPLAY_ANSWER_SIZE);
        return -1;
    }

    if (memchr(answer->body, '\0', answer->len)) {
        (void) snprintf(why, REPLAY_WHY_SIZE, "its body contains a NUL"
                        " byte");
        return -1;
    }

    answer->body[answer->len] = '\0';

    for (i = 0; i < answer->rules->npatterns; i++) {

        pattern = &answer->rules->patterns[i];

        if ((regexec(&pattern->regex, answer->body, 0, NULL, 0) == 0)
            != pattern->wanted)
        {
            (void) snprintf(why, REPLAY_WHY_SIZE,
                            pattern->wanted
                            ? "its body does not match --expect \"%s\""
                            : "its body matches --refuse \"%s\"",
                            pattern->value);
            return -1;
        }
    }

    return 0;
}
