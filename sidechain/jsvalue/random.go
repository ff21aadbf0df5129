package jsvalue

// Random is the generator of seedrandom 3.0.5 (ARC4), which the peer's
// contracts draw from (peer-spec 1.5). It is not fit for secrets.
type Random struct {
	i, j  uint8
	state [256]uint8
}

// SeedRandom returns the generator for a seed text.
func SeedRandom(seed string) *Random {
	key := mixKey(seed)
	r := &Random{}
	for i := range r.state {
		r.state[i] = uint8(i)
	}
	var j uint8
	for i := range r.state {
		t := r.state[i]
		j += key[i%len(key)] + t
		r.state[i] = r.state[j]
		r.state[j] = t
	}
	for range 256 {
		r.next()
	}
	return r
}

// mixKey folds the seed's UTF-16 units into at most 256 bytes.
func mixKey(seed string) []uint8 {
	units := UTF16(seed)
	if len(units) == 0 {
		return []uint8{0}
	}
	key := make([]uint8, 0, 256)
	smear := 0
	for n, u := range units {
		if n < 256 {
			key = append(key, uint8(smear+int(u)))
			continue
		}
		smear ^= int(key[n&255]) * 19
		key[n&255] = uint8(smear + int(u))
	}
	return key
}

// next is one output byte of ARC4.
func (r *Random) next() uint8 {
	r.i++
	t := r.state[r.i]
	r.j += t
	r.state[r.i] = r.state[r.j]
	r.state[r.j] = t
	return r.state[r.state[r.i]+t]
}

// Float64 is the next number in [0, 1).
func (r *Random) Float64() float64 {
	var n, d float64 = 0, 1 << 48
	for range 6 {
		n = float64(n*256) + float64(r.next())
	}
	var x uint8
	for n < 1<<52 {
		n = (n + float64(x)) * 256
		d *= 256
		x = r.next()
	}
	for n >= 1<<53 {
		n /= 2
		d /= 2
		x >>= 1
	}
	return (n + float64(x)) / d
}
