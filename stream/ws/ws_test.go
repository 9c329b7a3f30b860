package ws_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"sage/stream/ws"
)

// frame is one of a client: final unless told otherwise, masked with key.
type frame struct {
	op      ws.Opcode
	payload string
	more    bool
}

var key = [4]byte{0xa1, 0x07, 0x5c, 0xff}

func encode(masked bool, frames ...frame) []byte {
	var out []byte
	for _, f := range frames {
		start := len(out)
		payload := []byte(f.payload)
		if masked {
			out = ws.AppendMaskedHead(out, f.op, len(payload), key)
			ws.Mask(payload, key, 0)
		} else {
			out = ws.AppendHead(out, f.op, len(payload))
		}
		if f.more {
			out[start] &^= 0x80
		}
		out = append(out, payload...)
	}
	return out
}

// decode feeds b in pieces as long as cut says and gives the bytes of the messages and the control frames.
func decode(d *ws.Decoder, b []byte, cut func() int) (data string, controls []string, err error) {
	var message strings.Builder
	for len(b) > 0 {
		piece := bytes.Clone(b[:min(len(b), max(1, cut()))])
		b = b[len(piece):]
		for len(piece) > 0 {
			e, n, err := d.Next(piece)
			if err != nil {
				return message.String(), controls, err
			}
			piece = piece[n:]
			switch e.Op {
			case ws.Binary:
				message.Write(e.Payload)
			case ws.Ping, ws.Pong, ws.Close:
				controls = append(controls, string('0'+rune(e.Op))+string(e.Payload))
			}
		}
	}
	return message.String(), controls, nil
}

func TestDecoder(t *testing.T) {
	long, longer := strings.Repeat("0123456789", 20), strings.Repeat("x", 70_000)
	for _, masked := range []bool{true, false} {
		for name, tt := range map[string]struct {
			frames   []frame
			data     string
			controls []string
		}{
			"one message":                 {[]frame{{op: ws.Binary, payload: "hello"}}, "hello", nil},
			"an empty one":                {[]frame{{op: ws.Binary}, {op: ws.Binary, payload: "x"}}, "x", nil},
			"every length":                {[]frame{{op: ws.Binary, payload: long}, {op: ws.Binary, payload: longer}}, long + longer, nil},
			"in pieces, with a ping":      {[]frame{{ws.Binary, "a", true}, {op: ws.Ping, payload: "?"}, {ws.Continuation, "b", true}, {op: ws.Continuation, payload: "c"}}, "abc", []string{"9?"}},
			"controls without a payload":  {[]frame{{op: ws.Ping}, {op: ws.Pong}, {op: ws.Close}}, "", []string{"9", ":", "8"}},
			"the largest control":         {[]frame{{op: ws.Pong, payload: long[:125]}}, "", []string{":" + long[:125]}},
			"an empty piece at the end":   {[]frame{{ws.Binary, "a", true}, {op: ws.Continuation}, {op: ws.Binary, payload: "b"}}, "ab", nil},
			"a message after a big frame": {[]frame{{op: ws.Binary, payload: longer}, {op: ws.Close, payload: "\x03\xe8bye"}}, longer, []string{"8\x03\xe8bye"}},
		} {
			wire := encode(masked, tt.frames...)
			random := rand.New(rand.NewPCG(1, 2))
			for cutName, cut := range map[string]func() int{
				"whole": func() int { return len(wire) }, "bytes": func() int { return 1 }, "pieces": func() int { return random.IntN(40) },
			} {
				data, controls, err := decode(ws.NewDecoder(masked, 1<<20), wire, cut)
				if err != nil || data != tt.data || strings.Join(controls, "|") != strings.Join(tt.controls, "|") {
					t.Errorf("%s, %s, masked %t: got %d bytes, %q, %v", name, cutName, masked, len(data), controls, err)
				}
			}
		}
	}
}

func TestBreaches(t *testing.T) {
	for name, tt := range map[string]struct {
		wire   []byte
		status ws.Status
	}{
		"not masked":               {encode(false, frame{op: ws.Binary, payload: "x"}), ws.StatusProtocolError},
		"reserved bit":             {[]byte{0xc2, 0x80, 0, 0, 0, 0}, ws.StatusProtocolError},
		"unknown kind":             {encode(true, frame{op: 3}), ws.StatusProtocolError},
		"unknown control":          {encode(true, frame{op: 11}), ws.StatusProtocolError},
		"text":                     {encode(true, frame{op: ws.Text, payload: "x"}), ws.StatusUnsupportedData},
		"continuation of nothing":  {encode(true, frame{op: ws.Continuation, payload: "x"}), ws.StatusProtocolError},
		"message in a message":     {encode(true, frame{ws.Binary, "x", true}, frame{op: ws.Binary}), ws.StatusProtocolError},
		"control in pieces":        {encode(true, frame{ws.Ping, "x", true}), ws.StatusProtocolError},
		"control too long":         {encode(true, frame{op: ws.Ping, payload: strings.Repeat("x", 126)}), ws.StatusProtocolError},
		"negative length":          {[]byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, ws.StatusProtocolError},
		"message too large":        {encode(true, frame{op: ws.Binary, payload: strings.Repeat("x", 1001)}), ws.StatusTooBig},
		"pieces together too much": {encode(true, frame{ws.Binary, strings.Repeat("x", 1000), true}, frame{op: ws.Continuation, payload: "x"}), ws.StatusTooBig},
	} {
		_, _, err := decode(ws.NewDecoder(true, 1000), tt.wire, func() int { return 3 })
		var breach *ws.Error
		if !errors.As(err, &breach) || breach.Status != tt.status {
			t.Errorf("%s: got %v, want status %d", name, err, tt.status)
		}
	}
	_, _, err := decode(ws.NewDecoder(false, 1000), encode(true, frame{op: ws.Binary}), func() int { return 100 })
	if err == nil {
		t.Error("a server's masked frame was taken")
	}
}

func TestPutHead(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 65535, 65536} {
		b := make([]byte, ws.MaxHead+n)
		for i := range b {
			b[i] = byte(i)
		}
		payload := bytes.Clone(b[ws.MaxHead:])
		if want := append(ws.AppendHead(nil, ws.Binary, n), payload...); !bytes.Equal(ws.PutHead(b, ws.MaxHead, len(b)), want) {
			t.Errorf("payload of %d bytes: wrong frame", n)
		}
	}
}

func TestMask(t *testing.T) {
	plain := make([]byte, 100)
	_, _ = rand.NewChaCha8([32]byte{}).Read(plain)
	want := bytes.Clone(plain)
	for i := range want {
		want[i] ^= key[i%4]
	}
	for first := range 20 {
		for second := first; second <= len(plain); second += 7 {
			b := bytes.Clone(plain)
			pos := 0
			for _, part := range [][]byte{b[:first], b[first:second], b[second:]} {
				pos = ws.Mask(part, key, pos)
			}
			if !bytes.Equal(b, want) || pos != len(b) {
				t.Fatalf("cut at %d and %d: wrong", first, second)
			}
		}
	}
}

func TestClose(t *testing.T) {
	for name, tt := range map[string]struct {
		status     ws.Status
		reason     string
		wantStatus ws.Status
		wantReason string
	}{
		"plain":               {ws.StatusGoingAway, "desktop stopped", ws.StatusGoingAway, "desktop stopped"},
		"no status":           {ws.StatusNone, "is not sent", ws.StatusNone, ""},
		"own status":          {4321, "", 4321, ""},
		"long reason":         {ws.StatusNormal, strings.Repeat("x", 200), ws.StatusNormal, strings.Repeat("x", 123)},
		"cut within a letter": {ws.StatusNormal, "x" + strings.Repeat("ü", 100), ws.StatusNormal, "x" + strings.Repeat("ü", 61)},
		"not UTF-8":           {ws.StatusNormal, "good\xff", ws.StatusNormal, "good"},
	} {
		_, controls, err := decode(ws.NewDecoder(false, 0), ws.AppendClose(nil, tt.status, tt.reason), func() int { return 1000 })
		if err != nil || len(controls) != 1 {
			t.Fatalf("%s: %q, %v", name, controls, err)
		}
		status, reason, err := ws.ParseClose([]byte(controls[0][1:]))
		if err != nil || status != tt.wantStatus || reason != tt.wantReason {
			t.Errorf("%s: got %d %q, %v", name, status, reason, err)
		}
	}
	for _, payload := range []string{"\x03", "\x00\x00", "\x03\xed", "\x03\xe8\xff"} {
		if _, _, err := ws.ParseClose([]byte(payload)); err == nil {
			t.Errorf("%q was taken", payload)
		}
	}
}

// FuzzDecoder checks that the way in which bytes are cut makes no difference, and that nothing else than errors comes
// of any of them.
func FuzzDecoder(f *testing.F) {
	f.Add(encode(true, frame{op: ws.Binary, payload: "hello"}, frame{op: ws.Close}), byte(3))
	f.Add(encode(true, frame{ws.Binary, strings.Repeat("x", 300), true}, frame{op: ws.Ping, payload: "?"}, frame{op: ws.Continuation}), byte(7))
	f.Add([]byte{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, byte(1))
	f.Fuzz(func(t *testing.T, wire []byte, cut byte) {
		data, controls, err := decode(ws.NewDecoder(true, 1<<16), wire, func() int { return len(wire) })
		data2, controls2, err2 := decode(ws.NewDecoder(true, 1<<16), wire, func() int { return int(cut) })
		if data != data2 || strings.Join(controls, "|") != strings.Join(controls2, "|") || (err == nil) != (err2 == nil) {
			t.Errorf("whole: %q %q %v; in pieces of %d: %q %q %v", data, controls, err, cut, data2, controls2, err2)
		}
	})
}

func BenchmarkDecoder(b *testing.B) {
	wire := encode(true, frame{op: ws.Binary, payload: "123456"}, frame{op: ws.Binary, payload: "0123456789"})
	d := ws.NewDecoder(true, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		for rest := wire; len(rest) > 0; {
			_, n, err := d.Next(rest)
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
	}
}
