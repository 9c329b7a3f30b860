package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Fingerprint stands for everything of the app that decides how its desktops run: 32 hexadecimal digits. It is another
// one when the image, an endpoint, the environment, a limit, a mount or a time-out is another one, and the same when only
// the words for people or the way in which the image is built are.
func (a *App) Fingerprint() string {
	if a.fingerprint != "" {
		return a.fingerprint // It is asked for whenever a desktop is described.
	}
	b := *a
	b.Title, b.Description, b.Icon, b.Build, b.Aliases = "", "", "", nil, nil
	b.Variables = make([]Variable, len(a.Variables))
	for i, v := range a.Variables {
		v.Title, v.Description = "", ""
		b.Variables[i] = v
	}
	text, err := json.Marshal(b)
	if err != nil {
		panic(err) // Only values that JSON does not have can fail, such as infinities, and the rules refuse them.
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
