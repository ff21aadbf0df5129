package hotwallet

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"causeway/sidechain/graphene"
)

// chainOf makes and signs headers one after the other, as a sequencer would.
type chainOf struct {
	*bench
	head      *graphene.SignedHeader
	candidate *graphene.Header // stored beyond head
}

func (c *chainOf) next(salt byte) *graphene.Header {
	h := &graphene.Header{Timestamp: "2026-01-01T00:00:03", Witness: "sequencer", MerkleRoot: [20]byte{salt}}
	if c.head != nil {
		h.Previous = c.head.ID()
		h.Commitment = &graphene.StateCommitment{RefBlock: c.head.Number()}
	}
	return h
}

func (c *chainOf) sequencer() *HeaderSigner {
	c.t.Helper()
	s, err := c.signer.Sequencer(c.head, c.candidate)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// extend signs the next header and makes it the head.
func (c *chainOf) extend(s *HeaderSigner, salt byte) {
	c.t.Helper()
	h := c.next(salt)
	sig, err := s.SignHeader(context.Background(), h.Serialize())
	if err != nil {
		c.t.Fatal(err)
	}
	c.head = &graphene.SignedHeader{Header: *h, Signature: sig}
	if key, err := c.head.SigningKey(c.config().BaseChainID); err != nil || key != s.PublicKey() {
		c.t.Errorf("block %d is signed by %s (%v)", h.Number(), key, err)
	}
}

func (c *chainOf) refusesHeader(what string, s *HeaderSigner, h *graphene.Header) {
	c.t.Helper()
	if _, err := s.SignHeader(context.Background(), h.Serialize()); !errors.Is(err, ErrRollback) {
		c.t.Errorf("%s: %v", what, err)
	}
}

func TestSignHeader(t *testing.T) {
	c := &chainOf{bench: newBench(t)}
	s := c.sequencer()
	skip := c.next(0)
	skip.Previous[3] = 1
	c.refusesHeader("block 2 first", s, skip)
	c.extend(s, 1)
	first := c.head
	c.extend(s, 2)

	again, err := s.SignHeader(context.Background(), c.head.Header.Serialize())
	if err != nil || again != c.head.Signature {
		t.Errorf("the same header: %v", err)
	}
	other := c.head.Header
	other.MerkleRoot[5] = 9
	c.refusesHeader("another block 2", s, &other)
	c.refusesHeader("block 1 again", s, &first.Header)
	fork := c.next(3)
	fork.Previous[10] ^= 1
	c.refusesHeader("block 3 on another block 2", s, fork)

	c.open(nil)
	s = c.sequencer()
	c.refusesHeader("another block 2 after a restart", s, &other)
	c.extend(s, 3)
	if n, err := c.signer.Counter(); n != 3 || err != nil {
		t.Errorf("counter %d (%v)", n, err)
	}
	for _, raw := range [][]byte{nil, []byte("digest"), append(c.next(4).Serialize(), 0), make([]byte, 32)} {
		if _, err := s.SignHeader(context.Background(), raw); !errors.Is(err, ErrMalformed) {
			t.Errorf("%x: %v", raw, err)
		}
	}
}

// TestHeaderCrash: the process died between the signature and the storing of
// its block. The stored candidate is the only header that is signed for the
// height, with the same signature.
func TestHeaderCrash(t *testing.T) {
	for _, stored := range []int{0, 2} {
		c := &chainOf{bench: newBench(t)}
		s := c.sequencer()
		for range stored {
			c.extend(s, 1)
		}
		kept := c.head
		c.extend(s, 2) // signed, not stored
		signed := c.head
		c.head = kept
		other := c.next(3)

		c.open(nil)
		for name, candidate := range map[string]*graphene.Header{"none": nil, "another": other} {
			if _, err := c.signer.Sequencer(c.head, candidate); !errors.Is(err, ErrRollback) {
				t.Errorf("%d blocks, candidate: %s: %v", stored, name, err)
			}
		}
		c.candidate = &signed.Header
		before, _ := c.signer.Counter()
		s = c.sequencer()
		c.refusesHeader("another header of the same height", s, other)
		again, err := s.SignHeader(context.Background(), c.candidate.Serialize())
		if err != nil || again != signed.Signature {
			t.Errorf("%d blocks: the candidate again: %v", stored, err)
		}
		if after, _ := c.signer.Counter(); after != before {
			t.Errorf("%d blocks: the journal went from %d to %d for a signature it had", stored, before, after)
		}
		c.head, c.candidate = signed, nil
		c.extend(s, 4)
		c.open(nil)
		c.extend(c.sequencer(), 5)
	}
}

// TestHeaderCrashBeforeSigning: the candidate was stored, the signer never
// asked.
func TestHeaderCrashBeforeSigning(t *testing.T) {
	c := &chainOf{bench: newBench(t)}
	c.candidate = c.next(1)
	c.extend(c.sequencer(), 1)
	c.candidate = c.next(2)
	c.open(nil)
	c.extend(c.sequencer(), 2)
}

// TestRestoredBase: a base.db that is older than what was signed, or ahead of
// the journal, is refused.
func TestRestoredBase(t *testing.T) {
	c := &chainOf{bench: newBench(t)}
	s := c.sequencer()
	var heads []*graphene.SignedHeader
	for range 4 {
		c.extend(s, 1)
		heads = append(heads, c.head)
	}
	for name, head := range map[string]*graphene.SignedHeader{"empty": nil, "two behind": heads[1], "one behind": heads[2]} {
		if _, err := c.signer.Sequencer(head, nil); !errors.Is(err, ErrRollback) {
			t.Errorf("%s: %v", name, err)
		}
	}
	forged := *heads[3]
	forged.MerkleRoot[0] = 77
	if _, err := c.signer.Sequencer(&forged, &forged.Header); !errors.Is(err, ErrRollback) {
		t.Errorf("another head: %v", err)
	}

	lost := &chainOf{bench: newBench(t), head: c.head}
	if _, err := lost.signer.Sequencer(lost.head, nil); !errors.Is(err, ErrRollback) {
		t.Errorf("journal lost: %v", err)
	}
	if err := lost.signer.AdoptHeader(&forged); !errors.Is(err, ErrNotOurs) {
		t.Errorf("adopting a forged header: %v", err)
	}
	if err := lost.signer.AdoptHeader(lost.head); err != nil {
		t.Fatal(err)
	}
	if err := lost.signer.AdoptHeader(heads[1]); !errors.Is(err, ErrRollback) {
		t.Errorf("adopting an older header: %v", err)
	}
	lost.extend(lost.sequencer(), 2)
}

func TestRoleKeysMissing(t *testing.T) {
	b := newBench(t)
	b.open(func(c *SignerConfig) { c.Roles = nil })
	if _, err := b.signer.Sequencer(nil, nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("sequencer: %v", err)
	}
	h := graphene.Header{Timestamp: "2026-01-01T00:00:03"}
	if _, err := b.signer.SignHeader(context.Background(), h.Serialize()); !errors.Is(err, ErrNoKey) {
		t.Errorf("header: %v", err)
	}
	if _, err := b.signer.SignOperations(context.Background(), "gateway", operations("{}")); !errors.Is(err, ErrNoKey) {
		t.Errorf("operations: %v", err)
	}
}

const mintJSON = `{"contractName":"pegs","contractAction":"mint","contractPayload":{"id":"btc:00:0","symbol":"SWAP.BTC"}}`

// operations is a transaction of custom_json of the network by gateway.
func operations(texts ...string) *graphene.Transaction {
	tx := &graphene.Transaction{RefBlockNum: 1, RefBlockPrefix: 2, Expiration: "2026-01-01T00:01:00"}
	for _, text := range texts {
		tx.Operations = append(tx.Operations, &graphene.CustomJSON{
			RequiredAuths: []string{"gateway"}, ID: "ssc-causeway-regtest", JSON: text,
		})
	}
	return tx
}

func custom(change func(op *graphene.CustomJSON)) *graphene.Transaction {
	tx := operations(mintJSON)
	change(tx.Operations[0].(*graphene.CustomJSON))
	return tx
}

func TestSignOperations(t *testing.T) {
	b := newBench(t)
	vote := custom(func(op *graphene.CustomJSON) { op.ID, op.JSON = StateVoteID, `{"block":20,"stateHash":"00"}` })
	allowed := map[string]*graphene.Transaction{
		"mint": operations(mintJSON), "several": operations(mintJSON, mintJSON),
		"array": operations("[" + mintJSON + "," + mintJSON + "]"), "vote": vote,
	}
	for _, action := range []string{"assign", "settle", "cost", "giveBack", "hold"} {
		allowed[action] = operations(strings.Replace(mintJSON, `"mint"`, `"`+action+`"`, 1))
	}
	for name, tx := range allowed {
		signed, err := b.signer.SignOperations(context.Background(), "gateway", tx)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		keys, err := signed.SigningKeys(b.config().BaseChainID)
		if want := testRole(t, RoleAttestor, "gateway").Public; err != nil || len(keys) != 1 || keys[0] != want {
			t.Errorf("%s: signed by %v (%v)", name, keys, err)
		}
	}
	if _, err := b.signer.SignOperations(context.Background(), "other", operations(mintJSON)); !errors.Is(err, ErrNoKey) {
		t.Errorf("another account: %v", err)
	}
}

func TestSignOperationsRefuses(t *testing.T) {
	b := newBench(t)
	refused := map[string]*graphene.Transaction{
		"none":            operations(),
		"transfer":        {Expiration: "2026-01-01T00:01:00", Operations: []graphene.Operation{&graphene.Transfer{From: "gateway", To: "eve"}}},
		"mixed":           operations(mintJSON, `{"contractName":"tokens","contractAction":"transfer","contractPayload":{}}`),
		"two authorities": custom(func(op *graphene.CustomJSON) { op.RequiredAuths = []string{"gateway", "other"} }),
		"no authority":    custom(func(op *graphene.CustomJSON) { op.RequiredAuths = nil }),
		"posting":         custom(func(op *graphene.CustomJSON) { op.RequiredPostingAuths = []string{"gateway"} }),
		"somebody else's": custom(func(op *graphene.CustomJSON) { op.RequiredAuths = []string{"other"} }),
		"another network": custom(func(op *graphene.CustomJSON) { op.ID = "ssc-mainnet-hive" }),
		"another id":      custom(func(op *graphene.CustomJSON) { op.ID = "follow" }),
		"vote no object":  custom(func(op *graphene.CustomJSON) { op.ID, op.JSON = StateVoteID, `[1]` }),
		"vote null":       custom(func(op *graphene.CustomJSON) { op.ID, op.JSON = StateVoteID, `null` }),
	}
	for _, text := range []string{
		`{}`, `[]`, `null`, `[null]`, `"pegs"`, `1`, `{`, ``, `[` + mintJSON + `,1]`,
		strings.Replace(mintJSON, "mint", "withdraw", 1), strings.Replace(mintJSON, "mint", "setAsset", 1),
		strings.Replace(mintJSON, "mint", "collectFees", 1), strings.Replace(mintJSON, "mint", "pause", 1),
		strings.Replace(mintJSON, `"mint"`, `["mint"]`, 1), strings.Replace(mintJSON, `"pegs"`, `"tokens"`, 1),
		strings.Replace(mintJSON, `contractName`, `ContractName`, 1), strings.Replace(mintJSON, `contractAction`, `contractaction`, 1),
		strings.Replace(mintJSON, `{"id":"btc:00:0","symbol":"SWAP.BTC"}`, `null`, 1),
		strings.Replace(mintJSON, `{"id":"btc:00:0","symbol":"SWAP.BTC"}`, `[]`, 1),
		strings.Replace(mintJSON, `}}`, `},"more":1}`, 1),
		strings.Replace(mintJSON, `{"contractName"`, `{"contractName":"tokens","ContractName"`, 1),
		strings.TrimSuffix(mintJSON, `}`) + `,"contractAction":"collectFees"}`,
	} {
		refused[text] = operations(text)
	}
	for name, tx := range refused {
		if signed, err := b.signer.SignOperations(context.Background(), "gateway", tx); !errors.Is(err, ErrForbidden) || signed != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzCheckActions: whatever passes is an action of pegs for a reader that
// knows nothing of ours.
func FuzzCheckActions(f *testing.F) {
	f.Add(mintJSON)
	f.Add("[" + mintJSON + "]")
	f.Add(`[null]`)
	f.Fuzz(func(t *testing.T, text string) {
		if checkActions([]byte(text)) != nil {
			return
		}
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, item := range list {
			action := item.(map[string]any)
			name, _ := action["contractAction"].(string)
			if action["contractName"] != "pegs" || !attestorAction(name) || len(action) != 3 {
				t.Fatalf("passed: %s", text)
			}
		}
	})
}

// FuzzSign: no bytes but those of the plan are ever signed for a batch.
func FuzzSign(f *testing.F) {
	b := newBench(f)
	_, r := b.payout("batch-1", 50_000, 60_000)
	f.Add(r.Unsigned)
	f.Add(append([]byte{2, 0, 0, 0, 0, 1}, r.Unsigned[4:]...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		request := r
		request.Unsigned = raw
		c, err := b.signer.check(&request)
		if err == nil {
			if signed, err := c.sign(); err != nil || signed.Fee.IsZero() {
				t.Errorf("signed with a fee of %s: %v", signed.Fee, err)
			}
		}
		if err != nil && !errors.Is(err, ErrRefused) {
			t.Error(err)
		}
	})
}

// FuzzKeystoreContent: no document makes the decoder panic, and none is quoted.
func FuzzKeystoreContent(f *testing.F) {
	plain, err := encodeContent(testContent(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Fuzz(func(t *testing.T, plain []byte) {
		content, err := decodeContent(plain)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
			return
		}
		if len(content.Roles) == 0 && content.Mnemonic.Empty() {
			return
		}
		if _, err := encodeContent(content); err != nil {
			t.Error(err)
		}
	})
}
