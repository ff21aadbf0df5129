// Broadcasts every kind of operation that the base layer knows with a client
// library that is not ours, and asks for what they changed.
// Usage: node ops.js LIBRARY RUNNING.JSON
// Prints one JSON object: {"library","ids":{operation: id},"account","balance","body","votes"}.
'use strict';
const fs = require('fs');

const [library, runningFile] = process.argv.slice(2);
const running = JSON.parse(fs.readFileSync(runningFile, 'utf8'));
const alice = running.accounts.find((a) => a.name === 'alice');
const lib = require(library === 'dhive' ? '@hiveio/dhive' : 'dsteem');
const client = new lib.Client(running.url + '/hive', { chainId: running.base_chain_id, addressPrefix: 'STM', timeout: 20000 });
const active = lib.PrivateKey.fromString(alice.active);
const posting = lib.PrivateKey.fromString(alice.posting);
const coin = library === 'dhive' ? 'HIVE' : 'STEEM'; // each library knows only its own names
const debt = library === 'dhive' ? 'HBD' : 'SBD';

// included waits until a block holds the transaction: dhive does not.
async function included(id) {
  for (let i = 0; i < 200; i++) {
    const found = await client.call('transaction_status_api', 'find_transaction', { transaction_id: id });
    if (found.status === 'within_irreversible_block') return;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error('transaction ' + id + ' is in no block');
}

async function main() {
  const ids = {};
  const send = async (name, broadcast) => {
    const sent = await broadcast;
    await included(sent.id);
    ids[name] = sent.id;
  };
  const name = 'new-' + library;
  const permlink = 'post-' + library;
  const key = lib.PrivateKey.fromLogin(name, 'password', 'active').createPublic('STM').toString();
  const authority = { weight_threshold: 1, account_auths: [], key_auths: [[key, 1]] };

  await send('transfer', client.broadcast.transfer({ from: 'alice', to: 'carol', amount: '1.250 ' + coin, memo: 'für dich' }, active));
  await send('comment', client.broadcast.comment({
    parent_author: '', parent_permlink: 'test', author: 'alice', permlink, title: 'Hi', body: 'körper \u{1F600}', json_metadata: '{"tags":["test"]}',
  }, posting));
  await send('comment_options', client.broadcast.sendOperations([['comment_options', {
    author: 'alice', permlink, max_accepted_payout: '1000000.000 ' + debt, percent_steem_dollars: 10000, percent_hbd: 10000,
    allow_votes: true, allow_curation_rewards: true, extensions: [],
  }]], posting));
  await send('vote', client.broadcast.vote({ voter: 'alice', author: 'alice', permlink, weight: 5000 }, posting));
  await send('account_create', client.broadcast.sendOperations([['account_create', {
    fee: '3.000 ' + coin, creator: 'alice', new_account_name: name, owner: authority, active: authority, posting: authority, memo_key: key, json_metadata: '',
  }]], active));
  await send('account_update', client.broadcast.updateAccount({ account: 'alice', memo_key: key, json_metadata: '{"by":"' + library + '"}' }, active));

  const [account] = await client.database.getAccounts([name]);
  const [carol] = await client.database.getAccounts(['carol']);
  const content = await client.database.call('get_content', ['alice', permlink]);
  const votes = await client.database.call('get_active_votes', ['alice', permlink]);
  console.log(JSON.stringify({ library, ids, account: account && account.name, balance: carol.balance, body: content.body, votes: votes.length }));
}

main().catch((err) => { console.error(err.message || err); process.exit(1); });
