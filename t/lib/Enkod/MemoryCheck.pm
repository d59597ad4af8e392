package Enkod::MemoryCheck;

# What watches over the memory of the programs that are tested: valgrind, if
# TEST_NGINX_USE_VALGRIND is set, or sanitizers that they were built with, if
# TEST_ENKOD_SANITIZERS is.  Then everything takes longer, and how much memory a
# program takes says nothing.

use strict;
use warnings;

our $name = $ENV{TEST_NGINX_USE_VALGRIND} ? "valgrind"
            : $ENV{TEST_ENKOD_SANITIZERS} ? "sanitizers"
            : "";

# by how much everything takes longer
our $slow = { valgrind => 10, sanitizers => 3, "" => 1 }->{$name};

1;
