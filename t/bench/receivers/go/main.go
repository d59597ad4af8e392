// The receiver in Go, with net/http and encoding/json: checks an event, appends
// its line, answers.
//
// usage: receiver PORT FILE
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

const maxEventSize = 64 << 10

type field struct {
	name  string
	check func(json.RawMessage) (any, error)
}

var errShape = errors.New("not an event of ours")

// typed decodes a value that may not be null into a T.
func typed[T any](raw json.RawMessage) (any, error) {
	var value *T

	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, err
	}

	if value == nil {
		return nil, errShape
	}

	return *value, nil
}

// list decodes an array, none of whose elements may be null.
func list[T any](raw json.RawMessage) (any, error) {
	var values []*T

	if err := json.Unmarshal(raw, &values); err != nil {
		return nil, err
	}

	if values == nil {
		return nil, errShape
	}

	for _, value := range values {
		if value == nil {
			return nil, errShape
		}
	}

	return values, nil
}

// optional is a string that may be null or absent.
func optional(raw json.RawMessage) (any, error) {
	var value *string

	err := json.Unmarshal(raw, &value)

	return value, err
}

var (
	message = []field{
		{"message_id", typed[int64]}, {"message_uid", typed[string]},
		{"sending_type", typed[string]}, {"name", typed[string]},
		{"from", typed[string]}, {"to", typed[string]},
	}

	group = []field{
		{"email", typed[string]}, {"group_id", typed[int64]},
		{"group_name", typed[string]}, {"channel", typed[string]},
	}

	contact = []field{
		{"email", optional}, {"phone", optional},
		{"groups_names", list[string]}, {"groups_ids", list[int64]},
	}

	shapes = map[string][]field{
		"message sent":              message,
		"message open":              message,
		"complaint":                 message,
		"delivery bounce":           with(message, field{"error_message", typed[string]}),
		"message clicked":           with(message, field{"click_url", typed[string]}),
		"mailing group subscribe":   group,
		"mailing group unsubscribe": group,
		"contact adding":            contact,
	}

	// the vendor's spelling has a Cyrillic letter
	names = map[string]string{"\u0441omplaint": "complaint"}
)

func with(fields []field, more ...field) []field {
	return append(append([]field{}, fields...), more...)
}

// An event as it was received: its members and their order.
type event struct {
	members map[string]json.RawMessage
	order   []string
}

// UnmarshalJSON refuses a repeated member.
func (e *event) UnmarshalJSON(data []byte) error {
	in := json.NewDecoder(bytes.NewReader(data))

	if token, err := in.Token(); err != nil {
		return err
	} else if token != json.Delim('{') {
		return errShape
	}

	e.members = make(map[string]json.RawMessage, 16)

	for in.More() {
		name, err := in.Token()
		if err != nil {
			return err
		}

		var raw json.RawMessage
		if err := in.Decode(&raw); err != nil {
			return err
		}

		key := name.(string)
		if _, twice := e.members[key]; twice {
			return errShape
		}

		e.members[key] = raw
		e.order = append(e.order, key)
	}

	return nil
}

func isTest(values map[string]any) bool {
	switch {
	case values["message_uid"] == "0123456789_012_012_01234",
		values["group_name"] == "Person subscribe (test)",
		values["group_name"] == "Person unsubscribe (test)":
		return true
	}

	phone, _ := values["phone"].(*string)
	groups, _ := values["groups_names"].([]*string)

	return phone != nil && *phone == "80123456789" && len(groups) == 2 &&
		*groups[0] == "test_group_0" && *groups[1] == "test_group_1"
}

// line checks an event and returns its line.
func line(body []byte, remote string) ([]byte, error) {
	var e event

	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}

	value, err := typed[string](e.members["event"])
	if err != nil {
		return nil, errShape
	}

	name := value.(string)
	if latin, ok := names[name]; ok {
		name = latin
	}

	fields, ok := shapes[name]
	if !ok {
		return nil, errShape
	}

	delete(e.members, "event")

	values := make(map[string]any, len(fields))

	for _, f := range fields {
		raw, ok := e.members[f.name]
		if !ok && name == "contact adding" && (f.name == "email" || f.name == "phone") {
			continue
		}

		if values[f.name], err = f.check(raw); err != nil {
			return nil, errShape
		}

		delete(e.members, f.name)
	}

	if name == "contact adding" {
		email, _ := values["email"].(*string)
		phone, _ := values["phone"].(*string)

		if email == nil && phone == nil {
			return nil, errShape
		}
	}

	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)

	member := func(key string, value any) {
		out.WriteString(`,"` + key + `":`)
		encoder.Encode(value)
		out.Truncate(out.Len() - 1) // Encode ends with a line feed
	}

	out.WriteString(`{"received_at":"`)
	out.WriteString(time.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
	out.WriteString(`","request_id":"` + requestID() + `"`)
	member("remote_addr", remote)

	if isTest(values) {
		out.WriteString(`,"test":true`)
	}

	member("event", name)

	for _, f := range fields {
		if value, ok := values[f.name]; ok {
			member(f.name, value)
		}
	}

	if len(e.members) > 0 {
		out.WriteString(`,"extra":{`)

		comma := ""
		for _, key := range e.order {
			if raw, ok := e.members[key]; ok {
				quoted, _ := json.Marshal(key)
				out.WriteString(comma)
				out.Write(quoted)
				out.WriteByte(':')
				json.Compact(&out, raw)
				comma = ","
			}
		}

		out.WriteByte('}')
	}

	out.WriteString("}\n")

	return out.Bytes(), nil
}

func requestID() string {
	var id [16]byte

	rand.Read(id[:])

	return hex.EncodeToString(id[:])
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: receiver PORT FILE")
	}

	file, err := os.OpenFile(os.Args[2], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		log.Fatal(err)
	}

	http.HandleFunc("/enkod", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEventSize))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}

		remote, _, _ := net.SplitHostPort(r.RemoteAddr)

		text, err := line(body, remote)
		if err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}

		if _, err := file.Write(text); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})

	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
