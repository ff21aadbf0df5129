package pegs

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"causeway/chains"
)

// Audit is the state of the books (design, "audit"). All amounts are decimal
// text in coin units; surplus may be negative.
type Audit struct {
	OK             bool         `json:"ok"`
	SidechainBlock uint64       `json:"sidechain_block"`
	Assets         []AssetAudit `json:"assets"`
	// Problems says in words what is wrong. It is for people and logs.
	Problems []string `json:"-"`
	// Unknown says that the only problem is a node that does not answer: the
	// books were not held against its chain.
	Unknown bool `json:"-"`
}

// AssetAudit is the equality of one asset at one block of its chain:
//
//	reserves + in_flight = supply + pending_withdrawals + uncredited + surplus
type AssetAudit struct {
	Symbol             string    `json:"symbol"`
	Chain              chains.ID `json:"chain"`
	Height             uint64    `json:"height"`
	Block              string    `json:"block"`
	Supply             string    `json:"supply"`
	PendingWithdrawals string    `json:"pending_withdrawals"`
	Uncredited         string    `json:"uncredited"`
	Reserves           string    `json:"reserves"`
	InFlight           string    `json:"in_flight"`
	NetworkFees        string    `json:"network_fees"`
	Surplus            string    `json:"surplus"`
	Tolerance          string    `json:"tolerance"`
	OK                 bool      `json:"ok"`
	// Missing says that coins are missing: surplus and network fees are below
	// zero together.
	Missing bool `json:"-"`
}

// Item is an unspent output of ours, or what an account of ours holds of an asset:
// then Outpoint is the zero value.
type Item struct {
	Chain    chains.ID
	Token    string // contract; empty for the chain's own coin
	Address  string
	Kind     chains.WatchKind
	Outpoint chains.Outpoint
	Amount   chains.Amount
}

// LedgerView is what the ledger says of one chain at its newest block.
type LedgerView struct {
	Chain    chains.ID
	Block    chains.BlockRef
	Items    []Item
	InFlight chains.Amount            // the part of Items that signed batches spend
	Deposits map[string]chains.Amount // in the chain, credited or not
	Credited map[string]bool          // known to be
	Pending  map[string]chains.Amount // withdrawals neither returned nor paid in the chain
	Fees     map[string]chains.Amount // miner fees of batches in the chain, by batch
	Txs      map[string]ScannedTx     // transactions of the chain that spend our outputs
	Unknown  []string                 // what the ledger itself is alarmed about

	AccountView
}

// Scan is what a scanner that agrees with the ledger would say. It gives an
// audit its numbers when there is no scanner; such an audit is never ok.
func (l LedgerView) Scan() ScannerView {
	v := ScannerView{
		Block: l.Block, Items: l.Items, Deposits: l.Deposits, Txs: l.Txs, Spending: map[chains.Outpoint]string{}, Received: l.Booked,
	}
	for txid, tx := range l.Txs {
		for _, in := range tx.Inputs {
			v.Spending[in] = txid
		}
	}
	return v
}

// AssetView is what the sidechain says of one asset at one block.
type AssetView struct {
	Asset       Asset
	Supply      string // sum of all balances but null's
	Circulating string // what the token row says
	FeeAccount  string // balance of the fee account
	Owed        string // costs that the fee account could not pay yet
	Credited    map[string]string
	Withdrawals map[string]WithdrawalRow
	Batches     map[string]BatchRow
	// Costs are what transactions were charged that closed no batch, in coin units.
	Costs map[string]string
}

// WithdrawalRow is a row of the sidechain's withdrawals.
type WithdrawalRow struct {
	Net      string
	Returned bool
	Batch    string
}

// BatchRow is a row of the sidechain's assigns.
type BatchRow struct {
	Kind   string
	Spends []chains.Outpoint
	Closed bool
	Cost   string // in coin units, once closed
}

// ScannerView is what an independent reader of the chain says at a block.
type ScannerView struct {
	Block    chains.BlockRef
	Items    []Item
	Deposits map[string]chains.Amount // every output to a deposit address in the chain
	Spending map[chains.Outpoint]string
	Txs      map[string]ScannedTx
	// Received is of chains of accounts, which need no Deposits: what each deposit
	// address has received of each asset, by ReceivedKey.
	Received map[string]chains.Amount
	// Mute are tokens, by contract in lower case, that do not say what anybody holds,
	// and why: nothing is known of them.
	Mute map[string]string
}

// ScannedTx is a transaction of the chain that spends outputs of ours.
type ScannedTx struct {
	Inputs  []chains.Outpoint
	Fee     chains.Amount
	Foreign bool // an input is not ours, so that the fee is not known
	// Failed and Self are of chains of accounts: it moved nothing but its fee; it pays
	// 0 to its own sender.
	Failed, Self bool
}

// AuditView is the ledger's side of an audit of a chain.
func (s *State) AuditView(id chains.ID) (LedgerView, bool) {
	c, ok := s.chains[id]
	if !ok {
		return LedgerView{}, false
	}
	v := LedgerView{
		Chain: id, Deposits: map[string]chains.Amount{}, Credited: map[string]bool{},
		Pending: map[string]chains.Amount{}, Fees: map[string]chains.Amount{}, Txs: map[string]ScannedTx{}, Unknown: s.Alarms(id),
	}
	v.Block, _ = c.Tip()
	s.viewAccounts(c, &v)
	for _, out := range c.Unspent() {
		v.Items = append(v.Items, Item{Chain: id, Address: out.Address, Kind: out.kind(), Outpoint: out.Outpoint, Amount: out.Amount})
		if b := s.batches[c.kept[out.Outpoint]]; b != nil && len(b.Variants) > 0 && b.Mined == nil && b.Released == nil {
			v.InFlight = addAmount(v.InFlight, out.Amount)
		}
	}
	for _, d := range s.depositList {
		if d.Chain == id && d.In != nil {
			v.Deposits[d.ID] = d.Amount
		}
		if d.Chain == id && d.Credit != nil {
			v.Credited[d.ID] = true
		}
	}
	for _, w := range s.withdrawalList {
		if b := s.batches[w.Batch]; w.Chain == id && w.Returned == nil && (b == nil || b.Mined == nil) {
			v.Pending[w.ID] = w.Amount
		}
	}
	for _, b := range s.batchList {
		tx := b.Decided()
		if b.Chain != id || tx == nil {
			continue
		}
		fee, err := s.MinedFee(b)
		if err != nil {
			v.Unknown = append(v.Unknown, err.Error())
			continue
		}
		v.Fees[b.ID] = fee
		v.Txs[tx.TxID] = ScannedTx{Inputs: tx.Inputs, Fee: fee, Failed: b.Failed == tx, Self: tx.Result != nil && b.Kind == BatchCancel}
	}
	return v, true
}

// kind tells change from coins that others sent to the same script.
func (o *Output) kind() chains.WatchKind {
	if o.Kind == chains.WatchChange && !o.Own {
		return chains.WatchHot
	}
	return o.Kind
}

// AuditAsset balances one asset and says what does not fit.
func AuditAsset(l LedgerView, a AssetView, c ScannerView) (AssetAudit, []string) {
	if accounts(l.Chain) {
		l = l.of(a.Asset)
		c = c.of(a.Asset, l)
	}
	b := balance{l: l, a: a, c: c, paid: map[string]string{}}
	b.sum()
	b.compare()
	result := AssetAudit{
		Symbol: a.Asset.Symbol, Chain: l.Chain, Height: l.Block.Height, Block: l.Block.Hash,
		Supply: b.text(b.supply), PendingWithdrawals: b.text(b.pending), Uncredited: b.text(b.uncredited),
		Reserves: b.text(b.reserves), InFlight: b.text(b.inFlight), NetworkFees: b.text(b.fees),
		Surplus: b.text(b.surplus), Tolerance: b.text(new(big.Int)),
		OK: len(b.problems) == 0, Missing: b.missing(),
	}
	return result, b.problems
}

// balance is an audit being made, in base units of the coin.
type balance struct {
	l LedgerView
	a AssetView
	c ScannerView

	supply, pending, uncredited, reserves, inFlight, fees, surplus *big.Int
	problems                                                       []string
	paid                                                           map[string]string // by batch: what paidBy found
}

func (b *balance) problem(format string, args ...any) {
	b.problems = append(b.problems, b.a.Asset.Symbol+": "+fmt.Sprintf(format, args...))
}

func (b *balance) text(v *big.Int) string {
	amount, err := chains.AmountFromBig(new(big.Int).Abs(v))
	if err != nil {
		return v.String()
	}
	text := amount.Coin(b.a.Asset.Decimals)
	if v.Sign() < 0 {
		return "-" + text
	}
	return text
}

// quantity is a quantity of the token in base units of the coin.
func (b *balance) quantity(text, what string) *big.Int {
	amount, err := b.a.Asset.Amount(text)
	if err != nil {
		b.problem("%s: %v", what, err)
	}
	return amount.Big()
}

func total(list iterAmounts) *big.Int {
	sum := new(big.Int)
	for a := range list {
		sum.Add(sum, a.Big())
	}
	return sum
}

type iterAmounts func(yield func(chains.Amount) bool)

func itemAmounts(items []Item) iterAmounts {
	return func(yield func(chains.Amount) bool) {
		for _, item := range items {
			if !yield(item.Amount) {
				return
			}
		}
	}
}

func (b *balance) sum() {
	b.supply = b.quantity(b.a.Supply, "supply")
	all := total(itemAmounts(b.l.Items))
	b.inFlight = b.l.InFlight.Big()
	b.reserves = new(big.Int).Sub(all, b.inFlight)
	b.uncredited = new(big.Int)
	for _, id := range sortedKeys(b.c.Deposits) {
		if _, ok := b.a.Credited[id]; !ok {
			b.uncredited.Add(b.uncredited, b.c.Deposits[id].Big())
		}
	}
	b.pending = new(big.Int)
	for _, id := range sortedKeys(b.a.Withdrawals) {
		if w := b.a.Withdrawals[id]; !w.Returned && (b.paidBy(w.Batch) == "" || b.c.Txs[b.paidBy(w.Batch)].Failed) {
			b.pending.Add(b.pending, b.quantity(w.Net, "withdrawal "+id))
		}
	}
	b.sumFees()
	b.surplus = new(big.Int).Sub(all, b.supply)
	b.surplus.Sub(b.surplus, b.pending)
	b.surplus.Sub(b.surplus, b.uncredited)
}

// paidBy is the transaction of the chain that spends exactly what a batch was
// assigned, by the scanner's word.
func (b *balance) paidBy(batch string) string {
	txid, known := b.paid[batch]
	if !known {
		txid = b.findPayment(batch)
		b.paid[batch] = txid
	}
	return txid
}

func (b *balance) findPayment(batch string) string {
	row, ok := b.a.Batches[batch]
	if !ok || len(row.Spends) == 0 {
		return ""
	}
	spends := sortedOutpoints(row.Spends)
	txid := b.c.Spending[spends[0]]
	if tx, ok := b.c.Txs[txid]; ok && slices.Equal(sortedOutpoints(tx.Inputs), spends) && (!accounts(b.l.Chain) || tx.Self == (row.Kind == BatchCancel)) {
		return txid
	}
	return ""
}

// sumFees is what our transactions in the chain cost, less what was burned for it.
func (b *balance) sumFees() {
	b.fees = b.quantity(b.a.Owed, "owed")
	if b.a.Asset.Token != "" {
		return // gas is paid in the coin
	}
	for _, id := range sortedKeys(b.a.Batches) {
		txid := b.paidBy(id)
		if txid == "" {
			continue
		}
		tx := b.c.Txs[txid]
		if tx.Foreign {
			b.problem("transaction %s of batch %s spends what is not ours", txid, id)
		}
		b.fees.Add(b.fees, tx.Fee.Big())
		if text := b.charged(id, txid); text != "" {
			cost, err := chains.FromCoin(text, b.a.Asset.Decimals)
			if err != nil {
				b.problem("cost of batch %s: %v", id, err)
			}
			b.fees.Sub(b.fees, cost.Big())
		}
		if fee, ok := b.l.Fees[id]; ok && fee != tx.Fee {
			b.problem("fee of batch %s: ledger %s, chain %s", id, fee, tx.Fee)
		}
	}
}

// charged is what the sidechain has charged for the transaction of a batch; empty
// when nothing yet.
func (b *balance) charged(batch, txid string) string {
	if row := b.a.Batches[batch]; row.Closed {
		return row.Cost
	}
	return b.a.Costs[txid]
}

// compare asks whether the ledger, the sidechain and the scanner agree, and
// whether the coins are enough.
func (b *balance) compare() {
	for _, alarm := range b.l.Unknown {
		b.problem("%s", alarm)
	}
	if b.l.Block != b.c.Block {
		b.problem("the scanner stands at block %d %s, the ledger at %d %s", b.c.Block.Height, b.c.Block.Hash, b.l.Block.Height, b.l.Block.Hash)
	}
	b.compareItems()
	b.compareDeposits()
	b.compareReceived()
	b.comparePending()
	if circulating := b.quantity(b.a.Circulating, "circulating supply"); circulating.Cmp(b.supply) != 0 {
		b.problem("balances sum to %s, the token row says %s", b.a.Supply, b.a.Circulating)
	}
	if b.missing() {
		b.problem("surplus %s and network fees %s: coins are missing", b.text(b.surplus), b.text(b.fees))
	}
	if b.quantity(b.a.FeeAccount, "fee account").Cmp(b.fees) < 0 {
		b.problem("the fee account holds %s, network fees are %s", b.a.FeeAccount, b.text(b.fees))
	}
}

func (b *balance) missing() bool { return new(big.Int).Add(b.surplus, b.fees).Sign() < 0 }

func (b *balance) compareItems() {
	ours, theirs := itemsByName(b.l.Items), itemsByName(b.c.Items)
	if maps.Equal(ours, theirs) {
		return
	}
	what := "unspent outputs"
	if accounts(b.l.Chain) {
		what = "what accounts hold"
	}
	b.problem("%s: ledger %d of %s, scanner %d of %s", what, len(ours), b.text(total(itemAmounts(b.l.Items))), len(theirs), b.text(total(itemAmounts(b.c.Items))))
}

// itemsByName is what stands under each outpoint, or with each account.
func itemsByName(items []Item) map[chains.Outpoint]chains.Amount {
	list := map[chains.Outpoint]chains.Amount{}
	for _, item := range items {
		name := item.Outpoint
		if name.TxID == "" {
			name.TxID = accountKey(item.Address)
		}
		list[name] = item.Amount
	}
	return list
}

func (b *balance) compareDeposits() {
	if !maps.Equal(b.l.Deposits, b.c.Deposits) {
		b.problem("deposits in the chain: ledger %d, scanner %d", len(b.l.Deposits), len(b.c.Deposits))
	}
	for _, id := range sortedKeys(b.a.Credited) {
		if !b.l.Credited[id] {
			b.problem("deposit %s is credited, and the ledger does not know", id)
		}
		amount, there := b.c.Deposits[id]
		if !there {
			b.problem("deposit %s is credited, and is not in the chain", id)
			continue
		}
		if quantity, _, err := b.a.Asset.Quantity(amount); err != nil || quantity != b.a.Credited[id] {
			b.problem("deposit %s of %s was credited as %s", id, amount, b.a.Credited[id])
		}
	}
	for _, id := range sortedKeys(b.l.Credited) {
		if _, ok := b.a.Credited[id]; !ok {
			b.problem("the ledger takes deposit %s for credited", id)
		}
	}
}

func (b *balance) comparePending() {
	sum := total(func(yield func(chains.Amount) bool) {
		for _, id := range sortedKeys(b.l.Pending) {
			if !yield(b.l.Pending[id]) {
				return
			}
		}
	})
	if sum.Cmp(b.pending) != 0 {
		b.problem("pending withdrawals: ledger %s, sidechain and scanner %s", b.text(sum), b.text(b.pending))
	}
}
