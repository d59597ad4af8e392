
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * There are receivers whose status is 200 for what they have not taken, and
 * that say so in a header or in the body.  What the answer must have, and what
 * it must not, are options; without any, the status is all that counts.
 */


#include "replay.h"


static int replay_answer_add(replay_t *replay, const char *option,
    const char *value, int wanted);
static int replay_answer_body(replay_answer_t *answer, char *why);


int
replay_answer_expect(replay_t *replay, const char *value)
{
    return replay_answer_add(replay, "--expect", value, 1);
}


int
replay_answer_refuse(replay_t *replay, const char *value)
{
    return replay_answer_add(replay, "--refuse", value, 0);
}


static int
replay_answer_add(replay_t *replay, const char *option, const char *value,
    int wanted)
{
    int               rc;
    char              text[128];
    replay_answer_t  *answer;
    replay_text_t    *texts, *added;

    answer = &replay->answer;

    texts = realloc(answer->texts,
                    (answer->ntexts + 1) * sizeof(replay_text_t));

    if (texts == NULL) {
        replay_error(replay, 0, "no memory");
        return -1;
    }

    answer->texts = texts;

    added = &texts[answer->ntexts];
    added->value = value;
    added->wanted = wanted;

    rc = regcomp(&added->regex, value, REG_EXTENDED|REG_NOSUB);

    /* which matches everything */

    if (rc == 0 && *value == '\0') {
        regfree(&added->regex);
        (void) strcpy(text, ", and not empty");

    } else if (rc != 0) {
        (void) strcpy(text, ": ");
        (void) regerror(rc, &added->regex, text + 2, sizeof(text) - 2);

    } else {
        answer->ntexts++;
        return 0;
    }

    replay_error(replay, 0, "invalid %s \"%s\": it must be a POSIX extended"
                 " regular expression%s", option, value, text);

    return -1;
}


int
replay_answer_refuse_header(replay_t *replay, const char *value)
{
    const char       **names;
    replay_answer_t   *answer;

    if (*value == '\0' || value[replay_value_token(value)] != '\0') {
        replay_error(replay, 0, "invalid --refuse-header \"%s\": it must be"
                     " the name of a header", value);
        return -1;
    }

    answer = &replay->answer;

    names = realloc(answer->names, (answer->nnames + 1) * sizeof(char *));

    if (names == NULL) {
        replay_error(replay, 0, "no memory");
        return -1;
    }

    names[answer->nnames++] = value;

    answer->names = names;

    return 0;
}


void
replay_answer_begin(replay_answer_t *answer)
{
    answer->len = 0;
    answer->large = 0;
    answer->name = NULL;
}


/* CURLOPT_HEADERFUNCTION: status lines, headers and trailers, one at a time */

size_t
replay_answer_header(char *data, size_t size, size_t n, void *ctx)
{
    size_t            i, len;
    replay_answer_t  *answer = ctx;

    size *= n;

    if (size > 5 && memcmp(data, "HTTP/", 5) == 0) {
        /* what was before it is an answer of 1xx */
        answer->name = NULL;
    }

    for (i = 0; i < answer->nnames; i++) {

        len = strlen(answer->names[i]);

        if (size > len && data[len] == ':'
            && strncasecmp(data, answer->names[i], len) == 0)
        {
            answer->name = answer->names[i];
        }
    }

    return size;
}


/* CURLOPT_WRITEFUNCTION */

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

    return answer->ntexts ? replay_answer_body(answer, why) : 0;
}


static int
replay_answer_body(replay_answer_t *answer, char *why)
{
    size_t                i;
    const replay_text_t  *text;

    if (answer->large) {
        (void) snprintf(why, REPLAY_WHY_SIZE, "its body is larger than what"
                        " is looked at, %d bytes", REPLAY_ANSWER_SIZE);
        return -1;
    }

    if (memchr(answer->body, '\0', answer->len)) {
        (void) snprintf(why, REPLAY_WHY_SIZE, "its body has a NUL byte in"
                        " it");
        return -1;
    }

    answer->body[answer->len] = '\0';

    for (i = 0; i < answer->ntexts; i++) {

        text = &answer->texts[i];

        if ((regexec(&text->regex, answer->body, 0, NULL, 0) == 0)
            != text->wanted)
        {
            (void) snprintf(why, REPLAY_WHY_SIZE,
                            text->wanted
                            ? "its body does not match --expect \"%s\""
                            : "its body matches --refuse \"%s\"",
                            text->value);
            return -1;
        }
    }

    return 0;
}
