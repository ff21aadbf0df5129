package jsvalue

import "math"

// Coefficients of fdlibm's pow (Sun Microsystems, 1993): polynomials for
// log2(x) and 2**x, and constants split in a high and a low part.
const (
	powL1 = 5.99999999999994648725e-01
	powL2 = 4.28571428578550184252e-01
	powL3 = 3.33333329818377432918e-01
	powL4 = 2.72728123808534006489e-01
	powL5 = 2.30660745775561754067e-01
	powL6 = 2.06975017800338417784e-01

	powP1 = 1.66666666666666019037e-01
	powP2 = -2.77777777770155933842e-03
	powP3 = 6.61375632143793436117e-05
	powP4 = -1.65339022054652515390e-06
	powP5 = 4.13813679705723846039e-08

	ln2     = 6.93147180559945286227e-01
	ln2High = 6.93147182464599609375e-01
	ln2Low  = -1.90465429995776804525e-09

	twoThirdsLn2     = 9.61796693925975554329e-01 // 2/(3 ln 2)
	twoThirdsLn2High = 9.61796700954437255859e-01
	twoThirdsLn2Low  = -7.02846165095275826516e-09

	invLn2     = 1.44269504088896338700e+00
	invLn2High = 1.44269502162933349609e+00
	invLn2Low  = 1.92596299112661746887e-08

	overflowTail = 8.0085662595372944372e-17 // -(1024 - log2(largest + half a unit))

	log2of15High = 5.84962487220764160156e-01 // log2(1.5)
	log2of15Low  = 1.35003920212974897128e-08
)

// Pow is JavaScript's x ** y, bit for bit as V8 computes it: fdlibm's e_pow
// whose last quotient is taken over the whole denominator (peer-spec 0.3).
// Every product is rounded by an explicit conversion, so that no architecture
// fuses it with the following sum.
func Pow(x, y float64) float64 {
	if r, ok := powSpecial(x, y); ok {
		return r
	}
	sign := 1.0
	if x < 0 {
		if y != math.Trunc(y) {
			return math.NaN()
		}
		if math.Abs(y) < 1<<53 && int64(y)&1 == 1 {
			sign = -1
		}
	}
	ax := math.Abs(x)
	var high, low float64
	if math.Abs(y) > 1<<31 {
		if r, ok := powHuge(ax, y); ok {
			return sign * r
		}
		high, low = log2Near1(ax)
	} else {
		high, low = log2Split(ax)
	}
	return sign * exp2Product(y, high, low)
}

// powSpecial answers the cases that need no logarithm, in fdlibm's order.
func powSpecial(x, y float64) (float64, bool) {
	switch {
	case y == 0:
		return 1, true
	case x != x || y != y:
		return math.NaN(), true
	case math.IsInf(y, 0):
		return powInfinite(math.Abs(x), y > 0), true
	case y == 1:
		return x, true
	case y == -1:
		return 1 / x, true
	case y == 2:
		return float64(x * x), true
	case y == 0.5 && !math.Signbit(x):
		return math.Sqrt(x), true
	}
	ax := math.Abs(x)
	if !math.IsInf(ax, 0) && ax != 0 && ax != 1 {
		return 0, false
	}
	z := ax
	if y < 0 {
		z = 1 / ax
	}
	if math.Signbit(x) {
		switch {
		case ax == 1 && y != math.Trunc(y):
			return math.NaN(), true
		case y == math.Trunc(y) && math.Abs(y) < 1<<53 && int64(y)&1 == 1:
			z = -z
		}
	}
	return z, true
}

// powInfinite is |x| ** ±Infinity; 1 gives NaN in JavaScript.
func powInfinite(ax float64, positive bool) float64 {
	switch {
	case ax == 1:
		return math.NaN()
	case (ax > 1) == positive:
		return math.Inf(1)
	}
	return 0
}

// powHuge answers exponents beyond 2**31 where x is not within about 2**-20
// of 1.
func powHuge(ax, y float64) (float64, bool) {
	word := highWord(ax)
	below, above := word < 0x3FEFFFFF, word > 0x3FF00000
	if math.Abs(y) >= 1<<64 {
		below, above = word <= 0x3FEFFFFF, word >= 0x3FF00000
	}
	switch {
	case below && y < 0, above && y > 0:
		return math.Inf(1), true
	case below, above:
		return 0, true
	}
	return 0, false
}

// log2Near1 is log2(x) in two parts for |1-x| up to 2**-20.
func log2Near1(ax float64) (high, low float64) {
	t := ax - 1
	inner := 0.3333333333333333333333 - float64(t*0.25)
	w := float64(t*t) * (0.5 - float64(t*inner))
	u := float64(invLn2High * t)
	v := float64(t*invLn2Low) - float64(w*invLn2)
	high = truncated(u + v)
	return high, v - (high - u)
}

// log2Split is log2(x) of a positive x in two parts.
func log2Split(ax float64) (high, low float64) {
	n := 0
	if ax < 0x1p-1022 {
		ax *= 1 << 53
		n = -53
	}
	word := highWord(ax)
	n += int(word>>20) - 0x3FF
	mantissa := word & 0xFFFFF
	word = mantissa | 0x3FF00000
	base, logHigh, logLow, half := 1.0, 0.0, 0.0, uint32(0)
	switch {
	case mantissa <= 0x3988E: // x < sqrt(3/2)
	case mantissa < 0xBB67A: // x < sqrt(3)
		base, logHigh, logLow, half = 1.5, log2of15High, log2of15Low, 1
	default:
		n++
		word -= 0x100000
	}
	ax = math.Float64frombits(uint64(word)<<32 | math.Float64bits(ax)&0xFFFFFFFF)

	// s = (x-base)/(x+base), in two parts
	u := ax - base
	v := 1 / (ax + base)
	s := float64(u * v)
	sHigh := truncated(s)
	tHigh := math.Float64frombits(uint64((word>>1|0x20000000)+0x80000+half<<18) << 32)
	tLow := ax - (tHigh - base)
	sLow := v * ((u - float64(sHigh*tHigh)) - float64(sHigh*tLow))

	// log(x) = 2s + 2/3 s**3 + …
	s2 := float64(s * s)
	r := float64(float64(s2*s2) * polynomial(s2, powL1, powL2, powL3, powL4, powL5, powL6))
	r += float64(sLow * (sHigh + s))
	s2 = float64(sHigh * sHigh)
	tHigh = truncated(3 + s2 + r)
	tLow = r - ((tHigh - 3) - s2)
	u = float64(sHigh * tHigh)
	v = float64(sLow*tHigh) + float64(tLow*s)
	pHigh := truncated(u + v)
	pLow := v - (pHigh - u)
	zHigh := float64(twoThirdsLn2High * pHigh)
	zLow := float64(twoThirdsLn2Low*pHigh) + float64(pLow*twoThirdsLn2) + logLow
	t := float64(n)
	high = truncated(((zHigh + zLow) + logHigh) + t)
	return high, zLow - (((high - t) - logHigh) - zHigh)
}

// exp2Product is 2 ** (y * (high+low)).
func exp2Product(y, high, low float64) float64 {
	y1 := truncated(y)
	pLow := float64((y-y1)*high) + float64(y*low)
	pHigh := float64(y1 * high)
	z := pLow + pHigh
	bits := math.Float64bits(z)
	j, i := int32(bits>>32), uint32(bits)
	switch {
	case j >= 0x40900000: // z >= 1024
		if j != 0x40900000 || i != 0 || pLow+overflowTail > z-pHigh {
			return math.Inf(1)
		}
	case j&0x7FFFFFFF >= 0x4090CC00: // z <= -1075
		if uint32(j) != 0xC090CC00 || i != 0 || pLow <= z-pHigh {
			return 0
		}
	}
	n := int32(0)
	if a := j & 0x7FFFFFFF; a > 0x3FE00000 { // |z| > 0.5: split off the whole part
		k := a>>20 - 0x3FF
		n = j + 0x100000>>(k+1)
		k = (n&0x7FFFFFFF)>>20 - 0x3FF
		t := math.Float64frombits(uint64(uint32(n)&^uint32(0xFFFFF>>k)) << 32)
		n = (n&0xFFFFF | 0x100000) >> (20 - k)
		if j < 0 {
			n = -n
		}
		pHigh -= t
	}
	t := truncated(pLow + pHigh)
	u := float64(t * ln2High)
	v := float64((pLow-(t-pHigh))*ln2) + float64(t*ln2Low)
	z = u + v
	w := v - (z - u)
	t = float64(z * z)
	t1 := z - float64(t*polynomial(t, powP1, powP2, powP3, powP4, powP5))
	r := float64(z*t1) / ((t1 - 2) - (w + float64(z*w))) // V8's deviation from fdlibm
	z = 1 - (r - z)
	return scaled(z, int(n))
}

// polynomial is c[0] + x*(c[1] + x*(…)), each step rounded.
func polynomial(x float64, c ...float64) float64 {
	sum := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		sum = c[i] + float64(x*sum)
	}
	return sum
}

// scaled is z * 2**n.
func scaled(z float64, n int) float64 {
	bits := math.Float64bits(z)
	j := int32(bits>>32) + int32(n)<<20
	if j>>20 <= 0 {
		return math.Ldexp(z, n)
	}
	return math.Float64frombits(uint64(uint32(j))<<32 | bits&0xFFFFFFFF)
}

// truncated clears the low word.
func truncated(f float64) float64 {
	return math.Float64frombits(math.Float64bits(f) &^ 0xFFFFFFFF)
}

func highWord(f float64) uint32 { return uint32(math.Float64bits(f) >> 32) }
