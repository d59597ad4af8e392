/*
 * Options of the sanitizers for `make test-asan`.  They are compiled in, as nginx
 * does not pass its environment on to the binary of an upgrade.
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

/* nginx's flag for -t; the commands have no such variable */
extern uintptr_t  ngx_test_config __attribute__((weak));


const char *
__asan_default_options(void)
{
    return "log_path=" REPORTS "/report"

           /* so that nginx dies of a signal and does not exit */
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


/* memory that nginx does not free when it ends */

const char *
__lsan_default_suppressions(void)
{
    return
           /* connections and their events, of a process without a master */
           "leak:ngx_event_process_init\n"

           /* pointers that only PCRE's JIT code has */
           "leak:ngx_regex_malloc\n";
}


/* nginx does not free the configuration after -t */

int
__lsan_is_turned_off(void)
{
    return &ngx_test_config != NULL && ngx_test_config;
}


/* a report cannot name functions of a library that was unloaded */

int
dlclose(void *handle)
{
    (void) handle;

    return 0;
}
