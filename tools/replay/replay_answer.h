
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The answer to a request.  Some receivers answer with status 200 although they
 * have not accepted a request, and say so in a header or in the body.  So rules
 * for both can be given; without any, the status is all that counts.
 */


#ifndef _REPLAY_ANSWER_H_INCLUDED_
#define _REPLAY_ANSWER_H_INCLUDED_


#include <regex.h>
#include <stddef.h>


/* as much of the body of an answer as is checked */
#define REPLAY_ANSWER_SIZE    65536

/* of a text that says what is wrong with an answer */
#define REPLAY_WHY_SIZE       256


typedef struct {
    const char            *value;       /* of the option */
    int                    wanted;      /* it has to match */
    regex_t                regex;
} replay_pattern_t;


/* zeroed, any answer is good */

typedef struct {
    replay_pattern_t      *patterns;
    size_t                 npatterns;
    const char           **names;       /* of headers that must not be there */
    size_t                 nnames;
} replay_rules_t;


typedef struct {
    const replay_rules_t  *rules;
    const char            *name;        /* of a header that is there */
    size_t                 len;
    int                    large;       /* larger than what is checked */
    char                   body[REPLAY_ANSWER_SIZE + 1];
} replay_answer_t;


/*
 * Values of --expect, --refuse and --refuse-header, which must outlive the
 * rules: 0, or -1 after a message.
 */

int replay_rules_expect(replay_rules_t *rules, const char *value);
int replay_rules_refuse(replay_rules_t *rules, const char *value);
int replay_rules_refuse_header(replay_rules_t *rules, const char *value);

/* Before each request. */
void replay_answer_begin(replay_answer_t *answer, const replay_rules_t *rules);

/* CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION */
size_t replay_answer_header(char *data, size_t size, size_t n, void *ctx);
size_t replay_answer_write(char *data, size_t size, size_t n, void *ctx);

/* Returns 0, or -1 with what is wrong in "why", of REPLAY_WHY_SIZE bytes. */
int replay_answer_check(replay_answer_t *answer, char *why);


#endif /* _REPLAY_ANSWER_H_INCLUDED_ */
