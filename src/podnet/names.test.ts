import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { parseAddress } from "../ip/address.ts";
import {
  calicoInterfaceName,
  formatAltNames,
  formatLinkAlias,
  hostInterfaceName,
  interfaceMacs,
  parseAltNames,
  parseLinkAlias,
} from "./names.ts";

const word = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,30}$/);

test("`calicoInterfaceName()` is what Calico computes: veth and 11 hex digits of SHA1(namespace.name)", () => {
  const digest = createHash("sha1").update("default.web-0").digest("hex");
  assert.equal(calicoInterfaceName("default", "web-0"), `veth${digest.slice(0, 11)}`);
});

test("interface names fit the kernel's 15 characters and change with the attempt", () => {
  fc.assert(
    fc.property(word, word, (containerId, ifname) => {
      const key = `${containerId}:${ifname}`;
      assert.match(hostInterfaceName(key), /^veth[0-9a-f]{8}$/);
      assert.notEqual(hostInterfaceName(key), hostInterfaceName(key, 1));
      assert.match(calicoInterfaceName(containerId, ifname), /^veth[0-9a-f]{11}$/);
    }),
  );
});

test("`interfaceMacs()` gives two different unicast, locally administered addresses", () => {
  fc.assert(
    fc.property(word, (id) => {
      const { host, pod } = interfaceMacs(`${id}:eth0`);
      for (const mac of [host, pod]) {
        assert.match(mac, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
        assert.equal(Number.parseInt(mac.slice(0, 2), 16) & 0x03, 0x02);
      }
      assert.notEqual(host, pod);
    }),
  );
});

test("`parseLinkAlias()` is the inverse of `formatLinkAlias()`, and reads those of egress-only pods", () => {
  fc.assert(
    fc.property(fc.oneof(word, fc.constant("")), word, word, (pool, containerId, ifname) => {
      const alias = { pool, containerId, ifname };
      assert.deepStrictEqual(parseLinkAlias(formatLinkAlias(alias)), alias);
    }),
  );
  assert.deepStrictEqual(parseLinkAlias("COIL::0b1c-uid:eth0"), { pool: "", containerId: "0b1c-uid", ifname: "eth0" });
});

test("`parseLinkAlias()` takes nothing but four columns that begin with COIL", () => {
  for (const alias of [undefined, "", "COIL", "COIL:a:b", "COIL:a:b:c:d", "coil:a:b:c", "COIL:a::eth0", "COIL:a:b:"]) {
    assert.equal(parseLinkAlias(alias), undefined, `alias ${alias}`);
  }
});

test("`formatLinkAlias()` refuses colons and what the kernel would cut off", () => {
  assert.throws(() => formatLinkAlias({ pool: "a:b", containerId: "c", ifname: "eth0" }), RangeError);
  assert.throws(() => formatLinkAlias({ pool: "p".repeat(250), containerId: "c", ifname: "eth0" }), RangeError);
});

test("`parseAltNames()` is the inverse of `formatAltNames()`, network names with dots included", () => {
  const addresses = [parseAddress("10.2.0.5"), parseAddress("fd02::5")];
  for (const network of ["k8s-pod-network", "a.b..c", "coil"]) {
    const info = { podUid: "7f5b6a1e-6d5c-4d7e-9a44-0c5d0a6b8d11", network, addresses };
    const names = formatAltNames("veth0123abcd", info);
    assert.deepStrictEqual(names.slice(1), ["coil.ip.10.2.0.5", "coil.ip.fd02::5"]);
    assert.deepStrictEqual(parseAltNames(["enp1s0", ...names, "coil.ip.nonsense"]), info);
  }
  assert.deepStrictEqual(parseAltNames(formatAltNames("veth0123abcd", { podUid: "", network: "n", addresses: [] })), {
    podUid: "",
    network: "n",
    addresses: [],
  });
  assert.deepStrictEqual(parseAltNames(["enp1s0"]), { addresses: [] });
});

test("`formatAltNames()` refuses what would not come back", () => {
  assert.throws(() => formatAltNames("veth0123abcd", { podUid: "a.b", network: "n", addresses: [] }), RangeError);
  assert.throws(() => formatAltNames("veth0123abcd", { podUid: "u", network: "n".repeat(120), addresses: [] }), RangeError);
});
