package catalog

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/docker/go-units"
)

// Size is a number of bytes. Its text form has a binary unit: "512m", "2g", "1.5GiB"; a bare number counts bytes.
type Size int64

// String returns the size with a unit, readable by [Size.UnmarshalText]; sizes that are no multiple of a unit are rounded.
func (s Size) String() string { return units.BytesSize(float64(s)) }

// MarshalText returns the exact number of bytes.
func (s Size) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(s), 10), nil }

// UnmarshalText reads a size. A negative one is an error.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := units.RAMInBytes(string(text))
	if err != nil || n < 0 || n == math.MaxInt64 {
		return fmt.Errorf("%s is not a size: %s", quote(string(text)), hintSize)
	}
	*s = Size(n)
	return nil
}

// Duration is a time.Duration whose text form is that of [time.ParseDuration]: "90s", "1h30m".
type Duration time.Duration

// Std returns the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns the duration as [time.Duration.String] does.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText returns the form that [Duration.UnmarshalText] reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a duration. A negative one is an error.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%s is not a duration: %s", quote(string(text)), hintDuration)
	}
	*d = Duration(v)
	return nil
}

const (
	hintSize     = `write a number and a unit, such as "512m" or "2g"`
	hintDuration = `write numbers with units, such as "90s" or "1h30m"`
)
