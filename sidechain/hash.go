package sidechain

import "crypto/sha256"

// digest is a hash as the peer handles it: text of 64 lower-case hex digits,
// or the empty text before the first hash.
type digest struct {
	hex [2 * sha256.Size]byte
	set bool
}

func (d *digest) text() []byte {
	if !d.set {
		return nil
	}
	return d.hex[:]
}

// String is the digest as text.
func (d digest) String() string { return string(d.text()) }

// parseDigest reads what String wrote; any text that is no digest is the empty
// one.
func parseDigest(s string) (d digest) {
	if len(s) == len(d.hex) {
		copy(d.hex[:], s)
		d.set = true
	}
	return d
}

// sum replaces d by the SHA-256 of a text.
func (d *digest) sum(text []byte) {
	h := sha256.Sum256(text)
	for i, b := range h {
		pair := hexPairs[b]
		d.hex[2*i], d.hex[2*i+1] = pair[0], pair[1]
	}
	d.set = true
}

// hexPairs are the digits of every byte.
var hexPairs = func() (pairs [256][2]byte) {
	const digits = "0123456789abcdef"
	for i := range pairs {
		pairs[i] = [2]byte{digits[i>>4], digits[i&15]}
	}
	return pairs
}()

// sha256Text is the SHA-256 of a text, as text.
func sha256Text(text []byte) string {
	var d digest
	d.sum(text)
	return d.String()
}

// pairHash is SHA-256(left + right).
func pairHash(left, right string) string {
	buf := make([]byte, 0, 4*sha256.Size)
	buf = append(buf, left...)
	return sha256Text(append(buf, right...))
}

// pairHashes remembers the newest pairs: the calls that a contract makes are
// nearly always the same.
type pairHashes struct {
	list [16]struct{ left, right, hash string }
	next int
}

// hash is pairHash.
func (p *pairHashes) hash(left, right string) string {
	for i := range p.list {
		if e := &p.list[i]; e.hash != "" && e.left == left && e.right == right {
			return e.hash
		}
	}
	e := &p.list[p.next]
	p.next = (p.next + 1) % len(p.list)
	e.left, e.right, e.hash = left, right, pairHash(left, right)
	return e.hash
}

// merkle reduces the leaves pairwise, the odd last one paired with itself, at
// least once (peer-spec 1.7).
func merkle(leaves []string) string {
	if len(leaves) == 0 {
		return ""
	}
	var buf []byte
	level := make([]digest, (len(leaves)+1)/2)
	for i := range level {
		right := min(2*i+1, len(leaves)-1)
		buf = append(append(buf[:0], leaves[2*i]...), leaves[right]...)
		level[i].sum(buf)
	}
	for len(level) > 1 {
		next := level[:(len(level)+1)/2]
		for i := range next {
			right := min(2*i+1, len(level)-1)
			buf = append(append(buf[:0], level[2*i].text()...), level[right].text()...)
			next[i].sum(buf)
		}
		level = next
	}
	return level[0].String()
}
