# Makes the line of the event in the input (jq -s), or an error.

def string: type == "string";
def integer: type == "number" and . == floor;
def optional: . == null or string;
def array_of(f): type == "array" and all(f);

def fields:
  ["message_id", "message_uid", "sending_type", "name", "from", "to"]
    as $message
  | ["email", "group_id", "group_name", "channel"] as $group
  | {
      "message sent": $message,
      "message open": $message,
      "complaint": $message,
      "delivery bounce": ($message + ["error_message"]),
      "message clicked": ($message + ["click_url"]),
      "mailing group subscribe": $group,
      "mailing group unsubscribe": $group,
      "contact adding": ["email", "phone", "groups_names", "groups_ids"]
    };

def valid($field; $event):
  if $field == "message_id" or $field == "group_id" then integer
  elif $field == "groups_names" then array_of(string)
  elif $field == "groups_ids" then array_of(integer)
  elif $event == "contact adding" then optional
  else string
  end;

def test_delivery:
  .message_uid == "0123456789_012_012_01234"
  or .group_name == "Person subscribe (test)"
  or .group_name == "Person unsubscribe (test)"
  or (.phone == "80123456789"
      and .groups_names == ["test_group_0", "test_group_1"]);

def received_at:
  (now * 1000 | floor) as $ms
  | ($ms / 1000 | floor | todate | rtrimstr("Z"))
    + "." + ("00" + ($ms % 1000 | tostring))[-3:] + "Z";

if length == 1 then .[0] else error("not one event") end
| . as $received
| (.event | if . == "\u0441omplaint" then "complaint" else . end) as $event
| (fields[$event] // error("unknown event")) as $fields
| if $event == "contact adding" and .email == null and .phone == null
  then error("neither email nor phone") else . end
| reduce $fields[] as $field ({};
    $received[$field] as $value
    | if $value | valid($field; $event) | not then error($field)
      elif $received | has($field) then .[$field] = $value
      else . end)
| . as $known
| {
    received_at: received_at,
    request_id: ($id | gsub("-"; "")),
    remote_addr: ($address | sub(":[0-9]+$"; ""))
  }
  + (if $received | test_delivery then { test: true } else {} end)
  + { event: $event }
  + $known
  + ($received | del(.event) | with_entries(select(.key as $key
        | $known | has($key) | not))
     | if length > 0 then { extra: . } else {} end)
