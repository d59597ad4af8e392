# Each of the vendor's eight bodies gets the line of its event.

use strict;
use warnings;

use Test::Nginx::Socket 'no_plan';
use EnkodTest;

no_shuffle();

# received_at is UTC in any time zone
$ENV{TZ} = 'XST-9';

our $message = '"message_id":4,"message_uid":"0123456789_012_012_01234",'
             . '"sending_type":"instant",';
our $addresses = '"from":"sender@example.com","to":"recipient@example.com"';

our %line = (
    'message-sent' => '"event":"message sent",' . $message
        . '"name":"Sending message (test)",' . $addresses,

    'delivery-bounce' => '"event":"delivery bounce",' . $message
        . '"name":"Error while sending message (test)",' . $addresses
        . ',"error_message":"Some error message"',

    'message-open' => '"event":"message open",' . $message
        . '"name":"Open message (test)",' . $addresses,

    'message-clicked' => '"event":"message clicked",' . $message
        . '"name":"Click in message (test)",' . $addresses
        . ',"click_url":"https://clicked.link/"',

    'complaint' => '"event":"complaint",' . $message
        . '"name":"Complaint in message (test)",' . $addresses,

    'mailing-group-subscribe' => '"event":"mailing group subscribe",'
        . '"email":"user@example.com","group_id":4,'
        . '"group_name":"Person subscribe (test)","channel":"email"',

    'mailing-group-unsubscribe' => '"event":"mailing group unsubscribe",'
        . '"email":"user@example.com","group_id":4,'
        . '"group_name":"Person unsubscribe (test)","channel":"email"',

    'contact-adding' => '"event":"contact adding",'
        . '"email":"user@example.com","phone":"80123456789",'
        . '"groups_names":["test_group_0","test_group_1"],"groups_ids":[0,1]',
);

# the members of a body on one line, each as "name":value
sub members {
    my ($name) = @_;

    my $text = compact(event($name));

    return $text =~ /("\w+":(?:"[^"]*"|\[[^]]*\]|\d+))/g;
}

# the same members, sorted by a hash of place and seed
sub mixed {
    my ($name, $seed) = @_;

    my @members = members($name);

    return '{' . join(',', map { $members[$_] }
                           sort { ($a * 7 + $seed) % 11 <=> ($b * 7 + $seed) % 11 }
                           0 .. $#members) . '}';
}

run_tests();

__DATA__

=== TEST 1: a body as the vendor sends it gives the line of its event
--- tries
map { [ $_, post(event($_)), accepted($::line{$_}, test => 1) ] }
sort keys %::line


=== TEST 2: a body without white space gives the same line
--- tries
map { [ $_, post(compact(event($_))), accepted($::line{$_}, test => 1) ] }
sort keys %::line


=== TEST 3: a body with all kinds of JSON white space gives the same line
--- tries
map { my $name = $_;
      [ $name, post(join " \t\r\n", '', event($name) =~ /("[^"]*"|\d+|\S)/g, ''),
        accepted($::line{$name}, test => 1) ] }
sort keys %::line


=== TEST 4: members may come in any order
--- tries
map { my $name = $_;
      map { [ "$name, order $_", post(::mixed($name, $_)),
              accepted($::line{$name}, test => 1) ] } 0 .. 10 }
sort keys %::line


=== TEST 5: "complaint" is recognised in both alphabets and in every JSON spelling
--- tries
map { my ($title, $name) = @$_;
      my $body = event('complaint');
      $body =~ s/"event": "[^"]*"/"event": "$name"/;
      [ $title, post($body), accepted($::line{complaint}, test => 1) ] }
[ 'Latin', 'complaint' ],
[ 'Cyrillic, raw', "\xd1\x81omplaint" ],
[ 'Cyrillic, escaped', '\u0441omplaint' ],
[ 'Latin, escaped', '\u0063omplaint' ],
[ 'other Cyrillic letters', "\xd1\x81\xd0\xbempl\\u0430int" ]


=== TEST 6: any event name of the table may have Cyrillic look-alike letters
--- tries
[ 'all look-alikes of a name',
  post(compact(event('message-open')) =~ s/message open/m\xd0\xb5ss\xd0\xb0g\xd0\xb5 \xd0\xbe\xd1\x80\xd0\xb5n/r),
  accepted($::line{'message-open'}, test => 1) ],

[ 'not in a value',
  post(message(name => "\"\xd0\xb0\"")),
  accepted('"event":"message open","message_id":7,"message_uid":"uid",'
           . '"sending_type":"regular","name":"' . "\xd0\xb0"
           . '","from":"a@example.com","to":"b@example.com"') ],

[ 'not in the name of a member',
  post(message("t\xd0\xbe" => '1')),
  accepted('"event":"message open","message_id":7,"message_uid":"uid",'
           . '"sending_type":"regular","name":"Name",'
           . '"from":"a@example.com","to":"b@example.com",'
           . "\"extra\":{\"t\xd0\xbe\":1}") ],

[ 'other letters are not look-alikes',
  post(message(event => "\"message op\xd1\x8dn\"")),
  problem('unknown_event', field => '/event', offset => 24) ]


=== TEST 7: extra members are at the end of the line, in the order received
--- tries
[ 'before, between and after the fields',
  post('{"b":{"x":[1, 2.50,{}]},"event":"mailing group subscribe","a":null,'
       . '"channel":"email","group_name":"G","c":"\u0061\/","group_id":-0,'
       . '"email":"u@example.com","d":[ ]}'),
  accepted('"event":"mailing group subscribe","email":"u@example.com",'
           . '"group_id":-0,"group_name":"G","channel":"email",'
           . '"extra":{"b":{"x":[1,2.50,{}]},"a":null,"c":"a/","d":[]}') ]


=== TEST 8: accepted values are written without loss
--- tries
[ 'an integer of any length',
  post(message(message_id => '123456789012345678901234567890')),
  accepted(message(message_id => '123456789012345678901234567890')
           =~ s/^\{|\}$//gr) ],

[ 'escapes become as few as a line without control characters needs',
  post(message(name => '"\u0000\u001f\u007f\b\f\n\r\t\"\\\\\/\u00e9\ud83d\ude00"')),
  accepted(message(name => '"\u0000\u001f\u007f\b\f\n\r\t\"\\\\/'
                           . "\xc3\xa9\xf0\x9f\x98\x80\"") =~ s/^\{|\}$//gr) ],

[ 'characters that JSON allows raw, and that act on terminals or split lines',
  post(message(name => "\"\x7f\xc2\x85\xc2\x9b\xe2\x80\xa8\xe2\x80\xa9\"")),
  accepted(message(name => '"\u007f\u0085\u009b\u2028\u2029"')
           =~ s/^\{|\}$//gr) ],

[ 'UTF-8 of two, three and four bytes',
  post(message(name => "\"\xc2\xa0\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"")),
  accepted(message(name => "\"\xc2\xa0\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"")
           =~ s/^\{|\}$//gr) ],

[ 'numbers of an extra member, digit by digit',
  post(message(extra_number => '-1.500e+007')),
  accepted(message(extra => '{"extra_number":-1.500e+007}')
           =~ s/^\{|\}$//gr) ],

[ 'a sending_type that is not documented',
  post(message(sending_type => '"carrier pigeon"')),
  accepted(message(sending_type => '"carrier pigeon"') =~ s/^\{|\}$//gr) ]


=== TEST 9: a contact has an address, a phone or both
--- tries
[ 'no phone',
  post('{"event":"contact adding","email":"u@example.com",'
       . '"groups_names":[],"groups_ids":[]}'),
  accepted('"event":"contact adding","email":"u@example.com",'
           . '"groups_names":[],"groups_ids":[]') ],

[ 'phone null, which stays null',
  post('{"event":"contact adding","email":"u@example.com","phone":null,'
       . '"groups_names":["g"],"groups_ids":[1,2]}'),
  accepted('"event":"contact adding","email":"u@example.com","phone":null,'
           . '"groups_names":["g"],"groups_ids":[1,2]') ],

[ 'no address',
  post('{"event":"contact adding","phone":"1",'
       . '"groups_names":[],"groups_ids":[]}'),
  accepted('"event":"contact adding","phone":"1",'
           . '"groups_names":[],"groups_ids":[]') ],

[ 'neither',
  post('{"event":"contact adding","phone":null,'
       . '"groups_names":[],"groups_ids":[]}'),
  problem('missing_field', field => '/email', expected => 'string',
          offset => 73) ]


=== TEST 10: a test delivery is recognised by documented fields only
--- tries
[ 'its message_uid',
  post(message(message_uid => '"0123456789_012_012_01234"')),
  accepted(message(message_uid => '"0123456789_012_012_01234"')
           =~ s/^\{|\}$//gr, test => 1) ],

[ 'that uid in an extra member',
  post(message(uid => '"0123456789_012_012_01234"')),
  accepted(message(extra => '{"uid":"0123456789_012_012_01234"}')
           =~ s/^\{|\}$//gr) ],

[ 'a subject that ends in (test)',
  post(message(name => '"Open message (test)"')),
  accepted(message(name => '"Open message (test)"') =~ s/^\{|\}$//gr) ],

[ 'the phone with other groups',
  post('{"event":"contact adding","phone":"80123456789",'
       . '"groups_names":["test_group_0"],"groups_ids":[0]}'),
  accepted('"event":"contact adding","phone":"80123456789",'
           . '"groups_names":["test_group_0"],"groups_ids":[0]') ],

[ 'the groups with another phone',
  post('{"event":"contact adding","phone":"80123456780",'
       . '"groups_names":["test_group_0","test_group_1"],"groups_ids":[0,1]}'),
  accepted('"event":"contact adding","phone":"80123456780",'
           . '"groups_names":["test_group_0","test_group_1"],"groups_ids":[0,1]') ]


=== TEST 11: the request_id of a line is that of the access log
--- http_config
    log_format id '$request_id';
--- webhook
    access_log logs/id.log id;
--- tries
[ 'an event', post(message()), accepted(message() =~ s/^\{|\}$//gr) ]
--- files
'logs/id.log' => do {
    slurp("$Test::Nginx::Util::ServRoot/logs/events.jsonl")
        =~ /"request_id":"(\w{32})"/ ? "$1\n" : 'an id';
}


=== TEST 12: remote_addr is the address that the realip module has found
--- webhook
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
--- tries
[ 'IPv4', post(message(), headers => [ 'X-Forwarded-For: 192.0.2.7' ]),
  accepted(message() =~ s/^\{|\}$//gr, remote_addr => '192.0.2.7') ],

[ 'IPv6', post(message(), headers => [ 'X-Forwarded-For: 2001:db8::7' ]),
  accepted(message() =~ s/^\{|\}$//gr, remote_addr => '2001:db8::7') ]
