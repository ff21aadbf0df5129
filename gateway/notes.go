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

func newNotes() *notes { return &notes{text: map[string]string{}} }

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

// setHeld says which mints are on hold, all of them.
func (n *notes) setHeld(held map[string]bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.held = held
}

func (n *notes) isHeld(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.held[id]
}
