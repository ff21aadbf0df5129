package api

import (
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/gateway"
)

// scrape reads the chain's and the gateway's numbers when Prometheus asks.
type scrape struct{ s *Server }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("causeway_"+name, help, labels, nil)
}

var (
	descBlock    = desc("sidechain_block", "Newest sidechain block.")
	descRefBlock = desc("base_block", "Newest executed base block.")

	descHeight  = desc("chain_height", "Height that the gateway has processed.", "chain")
	descNode    = desc("chain_node_height", "Height that enough of the chain's nodes have.", "chain")
	descQuorum  = desc("chain_quorum", "Nodes that must agree.", "chain")
	descHealthy = desc("chain_nodes_ok", "Nodes that answer and agree.", "chain")
	descHalted  = desc("chain_halted", "1 where the part of a chain is halted.", "chain", "part")
	descCause   = desc("chain_halt_cause", "1 for each cause of a halt in force.", "chain", "cause")
	descAlert   = desc("chain_alert", "1 for each cause of an alert in force: deposits need more confirmations.", "chain", "cause")
	descNeeded  = desc("chain_confirmations_needed", "Confirmations that a deposit needs now.", "chain")

	descUp     = desc("node_up", "1 when the node answers and agrees with the others.", "chain", "node")
	descNodeAt = desc("node_height", "Height that the node gives.", "chain", "node")
	descLag    = desc("node_lag_blocks", "Blocks that the node is behind the others.", "chain", "node")
	descInfo   = desc("node_info", "1; the labels say what the node is.", "chain", "node", "version", "network")

	descDeposits    = desc("deposits_open", "Deposits that are not credited, or are and left the chain (shortfall), by state.", "chain", "state")
	descWithdrawals = desc("withdrawals_open", "Withdrawals that are neither settled nor returned, by state.", "chain", "state")
	descBatches     = desc("batches_open", "Payout transactions that are not settled.", "chain")
	descStuck       = desc("payout_waits_blocks", "Blocks that the oldest signed payout waits since anything could be done about it.", "chain")
	descOutflow     = desc("payout_cap_used_coins", "Payouts that count against the cap, in coins.", "chain")
	descCap         = desc("payout_cap_coins", "The cap of payouts, in coins; 0: none.", "chain")

	descRounding = desc("rounding_coins", "What rounding deposits down to the decimals of their tokens has left with us.", "symbol")

	descAuditOK  = desc("audit_ok", "1 when the newest audit found nothing wrong; absent before the first.")
	descAuditAge = desc("audit_age_seconds", "Time since the newest audit that came to a result.")
	descSurplus  = desc("audit_surplus_coins", "Surplus of the newest audit, in coins; below zero together with the network fees: coins are missing.", "symbol")
	descReserves = desc("audit_reserves_coins", "Reserves and coins in flight by the newest audit.", "symbol")
	descSupply   = desc("audit_supply_coins", "Supply of the token by the newest audit.", "symbol")
	descFees     = desc("audit_network_fees_coins", "Miner fees not yet burned, by the newest audit.", "symbol")
)

// Describe implements prometheus.Collector. What there is depends on the chains
// that are served, so the collector is unchecked.
func (c *scrape) Describe(chan<- *prometheus.Desc) {}

// gauges sends numbers to one scrape.
type gauges chan<- prometheus.Metric

// set sends one number. Labels may hold what a node says of itself.
func (out gauges) set(d *prometheus.Desc, v float64, labels ...string) {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "?")
	}
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Collect implements prometheus.Collector.
func (c *scrape) Collect(metrics chan<- prometheus.Metric) {
	out := gauges(metrics)
	head := c.s.chain.Head()
	out.set(descBlock, float64(head.Block))
	out.set(descRefBlock, float64(head.RefBlock))
	if c.s.gateway == nil {
		return
	}
	for _, chain := range c.s.gateway.ChainStatus() {
		out.chain(chain)
	}
	figures := c.s.gateway.Figures()
	for _, f := range figures.Chains {
		out.queues(f)
	}
	for symbol, coins := range figures.Rounding {
		out.set(descRounding, coins, symbol)
	}
	if !figures.Audited.IsZero() {
		out.audit(figures)
	}
}

func (out gauges) chain(s gateway.ChainStatus) {
	out.set(descHeight, float64(s.Height), s.Chain)
	out.set(descNode, float64(s.NodeHeight), s.Chain)
	out.set(descQuorum, float64(s.Quorum), s.Chain)
	for part, state := range map[string]string{"deposits": s.Deposits, "minting": s.Minting, "payouts": s.Payouts} {
		out.set(descHalted, truth(state != gateway.StateOpen), s.Chain, part)
	}
	healthy, named := 0, map[string]bool{}
	for _, n := range s.Nodes {
		if n.OK {
			healthy++
		}
		if named[n.Name] {
			continue // twice in the configuration: a metric may be there once
		}
		named[n.Name] = true
		out.set(descUp, truth(n.OK), s.Chain, n.Name)
		out.set(descNodeAt, float64(n.Height), s.Chain, n.Name)
		out.set(descLag, float64(n.Lag), s.Chain, n.Name)
		out.set(descInfo, 1, s.Chain, n.Name, n.Version, n.Network)
	}
	out.set(descHealthy, float64(healthy), s.Chain)
}

func (out gauges) queues(f gateway.ChainFigures) {
	out.set(descNeeded, float64(f.Confirmations), f.Chain)
	out.set(descBatches, float64(f.Batches), f.Chain)
	out.set(descStuck, float64(f.Stuck), f.Chain)
	out.set(descOutflow, f.Outflow, f.Chain)
	out.set(descCap, f.Cap, f.Chain)
	for state, n := range f.Deposits {
		out.set(descDeposits, float64(n), f.Chain, state)
	}
	for state, n := range f.Withdrawals {
		out.set(descWithdrawals, float64(n), f.Chain, state)
	}
	for _, cause := range f.Halts {
		out.set(descCause, 1, f.Chain, cause)
	}
	for _, cause := range f.Alerts {
		out.set(descAlert, 1, f.Chain, cause)
	}
}

func (out gauges) audit(f gateway.Figures) {
	out.set(descAuditOK, truth(f.Audit.OK))
	out.set(descAuditAge, time.Since(f.Audited).Seconds())
	coins := func(text string) float64 {
		v, _ := strconv.ParseFloat(text, 64) // our own text, for a monitor
		return v
	}
	for _, a := range f.Audit.Assets {
		out.set(descSurplus, coins(a.Surplus), a.Symbol)
		out.set(descReserves, coins(a.Reserves)+coins(a.InFlight), a.Symbol)
		out.set(descSupply, coins(a.Supply), a.Symbol)
		out.set(descFees, coins(a.NetworkFees), a.Symbol)
	}
}
