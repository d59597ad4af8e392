package Enkod::MemoryCheck;

# The memory checker under which the tested programs run: valgrind if
# TEST_NGINX_USE_VALGRIND is set, sanitizers that were compiled in if
# TEST_ENKOD_SANITIZERS is set.  Under a checker all programs are slower, and
# their memory use means nothing.

use strict;
use warnings;

# "valgrind", "sanitizers" or ""
our $name = $ENV{TEST_NGINX_USE_VALGRIND} ? "valgrind"
            : $ENV{TEST_ENKOD_SANITIZERS} ? "sanitizers"
            : "";

# the factor by which programs are slower
our $slow = { valgrind => 10, sanitizers => 3, "" => 1 }->{$name};

1;
