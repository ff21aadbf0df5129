package gateway

import "sync"

// notes hold what is known in memory only of items under way: why something
// waits, what the last attempt said. They are for the reader's eyes.
type notes struct {
	mu   sync.Mutex
	text map[string]string
	held map[string]bool // deposits whose mint the contract holds
}

const maxNote = 300

func newNotes() *notes { return &notes{text: map[string]string{}, held: map[string]bool{}} }

// set replaces the note of an item; an empty text takes it away.
func (n *notes) set(id, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if text == "" {
		delete(n.text, id)
		return
	}
	if len(text) > maxNote {
		text = text[:maxNote] + "…"
	}
	n.text[id] = text
}

func (n *notes) get(id string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text[id]
}

// hold says whether the mint of a deposit is on hold.
func (n *notes) hold(id string, held bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if held {
		n.held[id] = true
	} else {
		delete(n.held, id)
	}
}

func (n *notes) isHeld(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.held[id]
}
