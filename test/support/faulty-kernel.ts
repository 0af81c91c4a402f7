import { type Kernel, linuxKernel } from "../../src/apply/pod/kernel.ts";
import { KernelError } from "../../src/linux/kernel-error.ts";
import type { RouteSocket } from "../../src/linux/route/socket.ts";

/**
 * What happens at a call to the kernel: it fails without effect, it takes effect but its answer is lost, it is never made because
 * the process is dead (what cannot wait for ever fails then), or somebody else acts meanwhile.
 */
export type Fault = "refused" | "answer-lost" | "dead" | (() => void | Promise<void>);

/** The real kernel, in which chosen calls fail. */
export interface FaultyKernel {
  readonly kernel: Kernel;
  /** Calls since the last `plan`, by name. */
  readonly calls: readonly string[];
  /** From now on, call number n (from 0) has the fault that `faultOf(n)` gives. */
  plan(faultOf: (call: number) => Fault | undefined): void;
  /** Resolves when what others did meanwhile has ended. */
  idle(): Promise<void>;
}

/** Counts opening of namespaces and sockets, sysctl writes, and every question or order to a socket. */
export function createFaultyKernel(): FaultyKernel {
  let calls: string[] = [];
  const meanwhile: Promise<void>[] = [];
  let faultOf: (call: number) => Fault | undefined = () => undefined;

  function next(name: string): Fault | undefined {
    const fault = faultOf(calls.length);
    calls.push(name);
    return fault;
  }

  function failure(name: string): KernelError {
    return new KernelError({ operation: `${name} (injected fault)`, errno: 5 });
  }

  function direct<T>(name: string, act: () => T, undo: (made: T) => void = () => undefined): T {
    const fault = next(name);
    if (fault === "refused" || fault === "dead") throw failure(name);
    const result = act();
    if (fault === "answer-lost") {
      undo(result);
      throw failure(name);
    }
    if (fault) meanwhile.push(Promise.resolve(fault()));
    return result;
  }

  function faultySocket(socket: RouteSocket): RouteSocket {
    return new Proxy(socket, {
      get(target, property, receiver) {
        const member: unknown = Reflect.get(target, property, receiver);
        if (typeof member !== "function" || typeof property === "symbol") return member;
        return async (...args: unknown[]) => {
          const fault = next(property);
          if (fault === "refused") throw failure(property);
          if (fault === "dead") return new Promise<never>(() => undefined);
          const result: unknown = await member.apply(target, args);
          if (fault === "answer-lost") throw failure(property);
          if (fault) await fault();
          return result;
        };
      },
    });
  }

  const dispose = (made: Disposable) => made[Symbol.dispose]();
  return {
    kernel: {
      ...linuxKernel,
      openNetNamespace: (path) => direct("openNetNamespace", () => linuxKernel.openNetNamespace(path), dispose),
      openRouteSocket: (namespace) =>
        faultySocket(direct("openRouteSocket", () => linuxKernel.openRouteSocket(namespace), dispose)),
      writeSysctl: (name, value, namespace) => direct("writeSysctl", () => linuxKernel.writeSysctl(name, value, namespace)),
    },
    get calls() {
      return calls;
    },
    async idle() {
      await Promise.all(meanwhile.splice(0));
    },
    plan(faults) {
      calls = [];
      faultOf = faults;
    },
  };
}
