package upload

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/interdict/interdict/intel/fact"
)

// fault is what is wrong with one object, by its index in the request.
type fault struct {
	Index    int      `json:"recordIndex"` // from 0
	Messages []string `json:"errorMessages"`
}

// answer is the body of a response that is not a plain success. A refusal of the
// request has a status and a message, one of objects their faults.
type answer struct {
	Status  int     `json:"statusCode,omitzero"`
	Message string  `json:"message,omitzero"`
	Errors  []fault `json:"errors,omitempty"`
	retry   int     // seconds; zero: no Retry-After
}

func (a *answer) Error() string { return a.Message }

func refuse(status int, text string, args ...any) *answer {
	return &answer{Status: status, Message: fmt.Sprintf(text, args...)}
}

func slow(seconds int) *answer {
	return &answer{Status: http.StatusTooManyRequests, retry: seconds,
		Message: fmt.Sprintf("Rate limit is exceeded. Try again in %d seconds.", seconds)}
}

func busy(why string, seconds int) *answer {
	return &answer{Status: http.StatusServiceUnavailable, retry: seconds, Message: fmt.Sprintf("%s Try again in %d seconds.", why, seconds)}
}

// write sends the answer; nil is a success without a body.
func (a *answer) write(w http.ResponseWriter) error {
	w.Header().Set("Cache-Control", "no-store")
	if a == nil {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("upload: answering: %w", err)
	}
	if a.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(a.retry))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.status())
	_, err = w.Write(text)
	return err
}

// status gives the code of the response. Faults alone are a partial success.
func (a *answer) status() int {
	if a == nil || a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}

// merge adds the checker's refusals to the faults of inspection, in the order of the
// request. index gives the place in the request of each object that was checked.
func merge(faults []fault, refused []fact.Refusal, index []int) []fault {
	at := map[int]int{} // index -> place in faults; inspection and checker never speak of the same object
	for _, r := range refused {
		i := index[r.Line-1]
		place, ok := at[i]
		if !ok {
			place = len(faults)
			at[i] = place
			faults = append(faults, fault{Index: i})
		}
		if f := &faults[place]; len(f.Messages) < maxMessages {
			f.Messages = append(f.Messages, r.Reason)
		}
	}
	slices.SortFunc(faults, func(a, b fault) int { return a.Index - b.Index })
	return faults
}

// maxMessages bounds what is said of one object: a pattern may have thousands of
// values.
const maxMessages = 20
