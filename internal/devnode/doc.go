// Command devnode serves one embedded chain (chains/devnet) as a process of its
// own, so that tests meet it as they meet any other node. It prints its RPC
// endpoint and ends on SIGINT or SIGTERM.
package main
