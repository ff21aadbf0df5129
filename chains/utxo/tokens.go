package utxo

// CashTokens (CHIP-2022-02): an output script may begin with a prefix that says
// which tokens lie on the output beside its coins:
//
//	ef, 32 bytes of category, bitfield, [length and commitment], [amount]
const (
	tokenPrefix       = 0xef
	tokenReserved     = 0x80
	tokenCommitment   = 0x40
	tokenNFT          = 0x20
	tokenAmount       = 0x10
	tokenCapability   = 0x0f
	maxCapability     = 2
	maxTokenAmount    = 1<<63 - 1
	tokenCategorySize = 32
)

// stripTokens separates the locking script from a token prefix in front of it.
// A prefix that is malformed is none: such an output can never be spent, and its
// script, which begins with the prefix byte, is nobody's.
func stripTokens(script []byte) (locking []byte, tokens bool) {
	if len(script) == 0 || script[0] != tokenPrefix {
		return script, false
	}
	c := cursor{data: script, pos: 1}
	if c.skip(tokenCategorySize) != nil {
		return script, false
	}
	field, err := c.take(1)
	if err != nil || !validTokens(field[0]) {
		return script, false
	}
	if field[0]&tokenCommitment != 0 {
		if commitment, err := c.varbytes(); err != nil || len(commitment) == 0 {
			return script, false
		}
	}
	if field[0]&tokenAmount != 0 {
		if amount, err := c.varint(); err != nil || amount == 0 || amount > maxTokenAmount {
			return script, false
		}
	}
	return script[c.pos:], true
}

// validTokens checks a bitfield: something must be there, and a commitment or a
// capability only with a non-fungible token.
func validTokens(field byte) bool {
	nft := field&tokenNFT != 0
	switch {
	case field&tokenReserved != 0, !nft && field&tokenAmount == 0:
		return false
	case !nft:
		return field&(tokenCommitment|tokenCapability) == 0
	}
	return field&tokenCapability <= maxCapability
}
