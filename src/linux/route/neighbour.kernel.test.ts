import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestNamespace, type TestNamespace } from "../../../test/support/netns.ts";
import { formatAddress, parseAddress } from "../../ip/address.ts";
import { addNeighbour, deleteNeighbour, replaceNeighbour } from "./change-neighbour.ts";
import type { Neighbour } from "./neighbour.ts";
import { openRouteSocket } from "./socket.ts";

const MAC = "02:00:00:00:00:01";
const OTHER_MAC = "02:00:00:00:00:02";

async function namespaceWithPair(): Promise<TestNamespace> {
  const space = await createTestNamespace();
  await space.ip("link add left index 70 type veth peer name right index 71");
  await space.ip("link set left up addrgenmode none");
  await space.ip("link set right up addrgenmode none");
  return space;
}

test("neighbours are added, replaced and deleted as `ip` shows them", async () => {
  await using space = await namespaceWithPair();
  using socket = openRouteSocket(space.ns);
  const addresses = ["10.2.0.5", "fd02::5"].map((text) => parseAddress(text));
  const neighbour = { index: 70, mac: MAC, state: "permanent" as const };
  await socket.batch(addresses.map((address) => addNeighbour({ ...neighbour, address })));
  assert.equal(await space.ip("-4 neighbour show dev left"), `10.2.0.5 lladdr ${MAC} PERMANENT`);
  assert.equal(await space.ip("-6 neighbour show dev left nud permanent"), `fd02::5 lladdr ${MAC} PERMANENT`);
  const again = await socket.tryBatch(addresses.map((address) => addNeighbour({ ...neighbour, address })));
  assert.deepStrictEqual(
    again.map((result) => result?.code),
    ["EEXIST", "EEXIST"],
  );
  await socket.batch(addresses.map((address) => replaceNeighbour({ ...neighbour, mac: OTHER_MAC, address })));
  assert.equal(await space.ip("-4 neighbour show dev left"), `10.2.0.5 lladdr ${OTHER_MAC} PERMANENT`);
  await socket.batch(addresses.map((address) => deleteNeighbour({ index: 70, address })));
  assert.equal(await space.ip("-4 neighbour show dev left"), "");
  const gone = await socket.tryBatch([deleteNeighbour({ index: 70, address: parseAddress("10.2.0.99") })]);
  assert.equal(gone[0]?.code, "ENOENT");
});

test("neighbours that `ip` added are read as they are, and filtered by link and family", async () => {
  await using space = await namespaceWithPair();
  await space.ip(`neighbour add 10.2.0.5 lladdr ${MAC} dev left nud permanent`);
  await space.ip(`neighbour add 10.2.0.6 lladdr ${OTHER_MAC} dev right nud noarp`);
  await space.ip(`neighbour add fd02::5 lladdr ${MAC} dev left nud stale`);
  // An entry of a bridge has the same message type, and no address.
  await space.ip("link add br0 type bridge");
  await space.ip("link set right master br0");
  await space.exec("bridge", "fdb", "add", "02:00:00:00:00:09", "dev", "right", "master");
  using socket = openRouteSocket(space.ns);
  const brief = (list: Neighbour[]) =>
    list
      .filter(({ address }) => !formatAddress(address).startsWith("ff02:"))
      .map(({ index, address, mac, state, proxy }) => `${index} ${formatAddress(address)} ${mac} ${state} ${proxy}`)
      .sort();
  const expected = [
    `70 10.2.0.5 ${MAC} permanent false`,
    `70 fd02::5 ${MAC} stale false`,
    `71 10.2.0.6 ${OTHER_MAC} noarp false`,
  ];
  assert.deepStrictEqual(brief(await socket.neighbours()), expected);
  assert.deepStrictEqual(brief(await socket.neighbours({ index: 70 })), expected.slice(0, 2));
  assert.deepStrictEqual(brief(await socket.neighbours({ index: 70, family: "ipv6" })), expected.slice(1, 2));
  assert.deepStrictEqual(brief(await socket.neighbours({ family: "ipv4" })), [expected[0], expected[2]]);
});
