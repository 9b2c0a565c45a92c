package distribute

import (
	"encoding/json"
	"testing"
)

// TestContentIDText: ids of contents are one text wherever people compare them, and come
// back whole.
func TestContentIDText(t *testing.T) {
	text, err := json.Marshal(FollowerStatus{Content: 0x00681d4a5c3d2e1f})
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ Content string }
	if err := json.Unmarshal(text, &told); err != nil || told.Content != "00681d4a5c3d2e1f" {
		t.Errorf("content %q, %v", told.Content, err)
	}
	var s FollowerStatus
	if err := json.Unmarshal(text, &s); err != nil || s.Content != 0x00681d4a5c3d2e1f {
		t.Errorf("it comes back as %x, %v", uint64(s.Content), err)
	}
	for _, bad := range []string{`"29304"`, `"zz681d4a5c3d2e1f"`, `""`, `"+0681d4a5c3d2e1f"`} {
		if err := json.Unmarshal([]byte(`{"content":`+bad+`}`), &s); err == nil {
			t.Errorf("%s passes for a content id", bad)
		}
	}
}
