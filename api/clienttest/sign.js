// Signs and broadcasts with a client library that is not ours, then reads the
// result back. Usage: node sign.js LIBRARY RUNNING.JSON FROM TO SYMBOL QUANTITY
// Prints one JSON object: {"library","id","block","logs"}.
'use strict';
const fs = require('fs');

const [library, runningFile, from, to, symbol, quantity] = process.argv.slice(2);
const running = JSON.parse(fs.readFileSync(runningFile, 'utf8'));
const account = running.accounts.find((a) => a.name === from);
const lib = require(library === 'dhive' ? '@hiveio/dhive' : 'dsteem');
const client = new lib.Client(running.url + '/hive', { chainId: running.base_chain_id, addressPrefix: 'STM', timeout: 20000 });

async function sidechain(method, params) {
  const response = await fetch(running.url + '/blockchain', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return (await response.json()).result;
}

async function main() {
  const [known] = await client.database.getAccounts([from]);
  if (!known || known.name !== from) throw new Error('get_accounts does not know ' + from);
  const json = JSON.stringify({
    contractName: 'tokens', contractAction: 'transfer',
    contractPayload: { symbol, to, quantity, memo: 'h\u00e9llo \u{1F600} <&>' },
  });
  const op = { required_auths: [from], required_posting_auths: [], id: 'ssc-' + running.chain_id, json };
  const sent = await client.broadcast.json(op, lib.PrivateKey.fromString(account.active));
  for (let i = 0; i < 100; i++) {
    const info = await sidechain('getTransactionInfo', { txid: sent.id });
    if (info) {
      const block = await client.database.getBlock(sent.block_num || info.refHiveBlockNumber);
      if (!block.transaction_ids.includes(sent.id)) throw new Error('the base block does not hold ' + sent.id);
      console.log(JSON.stringify({ library, id: sent.id, block: info.blockNumber, logs: info.logs }));
      return;
    }
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error('transaction ' + sent.id + ' never reached the sidechain');
}

main().catch((err) => { console.error(err.message || err); process.exit(1); });
