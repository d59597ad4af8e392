# enkod_max_event_size: the maximum size of a body.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

use Enkod::Client;
use Enkod::Wait;

no_shuffle();

my $log = 'enkod_webhook; enkod_log logs/x;';

takes("\"$_\" is taken", server => 'client_max_body_size 0;',
      location => "$log enkod_max_event_size $_;")
    for qw(1 512 64k 64K 1m 512m);

refuses('zero', qr/invalid value "0" in "enkod_max_event_size", it must be a size from 1 to 512m/,
        location => "$log enkod_max_event_size 0;");
refuses('a negative size', qr/invalid value "-1" in "enkod_max_event_size"/,
        location => "$log enkod_max_event_size -1;");
refuses('an unknown unit', qr/invalid value "1t" in "enkod_max_event_size"/,
        location => "$log enkod_max_event_size 1t;");
refuses('a word', qr/invalid value "unlimited" in "enkod_max_event_size"/,
        location => "$log enkod_max_event_size unlimited;");
refuses('too much', qr/invalid value "513m" in "enkod_max_event_size"/,
        location => "$log enkod_max_event_size 513m;");
refuses('far too much', qr/invalid value "99999999999999999999" in "enkod_max_event_size"/,
        location => "$log enkod_max_event_size 99999999999999999999;");
refuses('no argument', qr/invalid number of arguments in "enkod_max_event_size"/,
        location => "$log enkod_max_event_size;");
refuses('the directive twice', qr/"enkod_max_event_size" directive is duplicate/,
        location => "$log enkod_max_event_size 1k; enkod_max_event_size 1k;");
refuses('an "if"', qr/"enkod_max_event_size" directive is not allowed here/,
        location => "$log if (\$arg_a) { enkod_max_event_size 1k; }");

warns('a smaller client_max_body_size in the location',
      qr/"client_max_body_size" in location "\/enkod" is smaller than "enkod_max_event_size"/,
      location => "$log client_max_body_size 1k;");
warns('a smaller client_max_body_size in the server',
      qr/"client_max_body_size" in location "\/enkod" is smaller than "enkod_max_event_size"/,
      server => 'client_max_body_size 63k;', location => $log);
warns('nginx\'s default of client_max_body_size, which is 1m',
      qr/"client_max_body_size" in location "\/enkod" is smaller than "enkod_max_event_size"/,
      location => "$log enkod_max_event_size 2m;");
takes('the same client_max_body_size',
      location => "$log enkod_max_event_size 2m; client_max_body_size 2m;");
takes('no client_max_body_size',
      location => "$log enkod_max_event_size 2m; client_max_body_size 0;");

our $members = message() =~ s/^\{|\}$//gr;
our $accepted = accepted($members);
our $too_large = problem('too_large', closed => 1);

# an event of that many bytes
sub sized {
    my ($size) = @_;

    return message() . ' ' x ($size - length message());
}

run_tests();

__DATA__

=== TEST 1: the default maximum is 64k
--- tries
[ '65536 bytes', post(::sized(65536)), $::accepted ],
[ '65537 bytes', post(::sized(65537)), $::too_large ],
[ '65536 bytes in chunks', post(undef, chunks => [ ::sized(65536) ]), $::accepted ],
[ '65537 bytes in chunks', post(undef, chunks => [ ::sized(65537) ]), $::too_large ],
[ '65536 bytes in a chunk, then one more byte',
  post(undef, chunks => [ ::sized(65536), ' ' ]), $::too_large ]


=== TEST 2: a small maximum applies to the body, not to its chunks
--- webhook
    enkod_max_event_size 200;
--- tries
[ '200 bytes', post(::sized(200)), $::accepted ],
[ '200 bytes, in pieces', post(::sized(200), split => 60), $::accepted ],
[ '201 bytes', post(::sized(201)), $::too_large ],
[ '201 bytes in chunks', post(undef, chunks => [ ::sized(201) ]), $::too_large ],
[ '200 bytes in chunks of one byte',
  post(undef, chunks => [ split //, ::sized(200) ]), $::accepted ]


=== TEST 3: a large maximum
--- webhook
    enkod_max_event_size 4m;
--- tries
[ '4m in a string', do {
      my $x = 'x' x (4 * 1024 * 1024 - length(message()) - 7);
      post(message(x => "\"$x\"")), accepted("$::members,\"extra\":{\"x\":\"$x\"}")
  } ],
[ '4m and a byte', post(::sized(4 * 1024 * 1024 + 1)), $::too_large ]


=== TEST 4: a body announced as larger than anything is refused at once
--- webhook
    client_max_body_size 0;
--- tries
map { my $length = $_;
      [ $length, raw(sub {
            my $client = shift;
            $client->write("POST /enkod HTTP/1.1\r\nHost: a\r\n"
                           . "Content-Length: $length\r\n\r\n{");
            $client->read_response({});
        }), $::too_large ] }
$Enkod::Protocol::early_read ? () : (65537, 2_147_483_648, 4_294_967_296)


=== TEST 5: the size is inherited from http and server, and replaced
--- http_config
    enkod_max_event_size 200;
    enkod_log logs/events.jsonl;
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_2;
        enkod_max_event_size 300;
        location / {
            enkod_webhook;
        }
    }
--- config
    location = /http {
        enkod_webhook;
    }
    location /more {
        enkod_webhook;
        enkod_max_event_size 400;
        location = /more/inner {
            enkod_webhook;
        }
    }
    location = /server {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_2;
    }
--- tries
[ 'http', post(::sized(200), uri => '/http'), $::accepted ],
[ 'http, larger', post(::sized(201), uri => '/http'), $::too_large ],
[ 'server', post(::sized(300), uri => '/server'), $::accepted ],
[ 'server, larger', post(::sized(301), uri => '/server'), problem('too_large') ],
[ 'location', post(::sized(400), uri => '/more'), $::accepted ],
[ 'location, larger', post(::sized(401), uri => '/more'), $::too_large ],
[ 'a location within', post(::sized(400), uri => '/more/inner'), $::accepted ]


=== TEST 6: the answer to a body that is announced as too large is not lost in a reset
--- webhook
    lingering_close off;
--- tries
$Enkod::Protocol::early_read ? () : [ 'a body in pieces', raw(sub {
      my ($client) = @_;

      my $socket = $client->{socket};

      $client->write("POST /enkod HTTP/1.1\r\nHost: a\r\n"
                     . "Content-Length: 655360\r\n\r\n");

      my $response = $client->read_response({});

      local $SIG{PIPE} = 'IGNORE';
      my $sent = 0;

      # each piece when nginx has read the one before, or has closed
      while ($sent < 655360) {
          $sent += syswrite($socket, ' ' x 65536) // last;
          Enkod::Wait::wait_for(sub { !Enkod::Client::unread($socket) });
      }

      Test::More::is($sent, 655360, 'all of the body is taken');

      return $response;
  }), problem('too_large', closed => 1) ]
