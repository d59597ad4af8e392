/*
 * What the sanitizers of `make test-asan` are told, by the programs themselves:
 * nginx does not hand its environment on to the binary of an upgrade.
 *
 * REPORTS is the folder for their reports.
 */


#include <stddef.h>
#include <stdint.h>


const char  *__asan_default_options(void);
const char  *__ubsan_default_options(void);
const char  *__lsan_default_options(void);
const char  *__lsan_default_suppressions(void);
int          __lsan_is_turned_off(void);
int          dlclose(void *handle);

/* of nginx: -t is given; the commands have no such thing */
extern uintptr_t  ngx_test_config __attribute__((weak));


const char *
__asan_default_options(void)
{
    return "log_path=" REPORTS "/report"

           /* or nginx would be said to have ended, not to have died */
           ":abort_on_error=1"

           ":detect_leaks=1"
           ":detect_stack_use_after_return=1"
           ":strict_string_checks=1";
}


const char *
__ubsan_default_options(void)
{
    return "print_stacktrace=1";
}


const char *
__lsan_default_options(void)
{
    return "print_suppressions=0";
}


/* what nginx leaves to the system when it ends */

const char *
__lsan_default_suppressions(void)
{
    return
           /* connections and their events, of a process without a master */
           "leak:ngx_event_process_init\n"

           /* PCRE's JIT remembers it where nobody looks */
           "leak:ngx_regex_malloc\n";
}


/* nor does it give back what it has read for -t */

int
__lsan_is_turned_off(void)
{
    return &ngx_test_config != NULL && ngx_test_config;
}


/* whose code is gone has no names in a report */

int
dlclose(void *handle)
{
    (void) handle;

    return 0;
}
