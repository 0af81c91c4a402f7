import { readdirSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { counter, gauge, type Registry } from "./metrics.ts";
import { VERSION } from "./version.ts";

/** Adds what Prometheus expects of any process, read at each scrape: nothing runs in between. */
export function registerProcessMetrics(registry: Registry, { program }: { program: string }): void {
  gauge(registry, "coil_build_info", "Constant 1, labelled with what is running.", {
    labelNames: ["program", "version", "node_version"],
  }).set({ program, version: VERSION, node_version: process.versions.node }, 1);
  gauge(registry, "process_start_time_seconds", "Start time of the process since the epoch in seconds.").set(
    performance.timeOrigin / 1000,
  );
  const total = (name: string, help: string, read: () => number) => {
    const made = counter(registry, name, help);
    // prom-client has no counter that reads its value from elsewhere.
    Object.assign(made, {
      collect() {
        made.reset();
        made.inc(read());
      },
    });
  };
  total("process_cpu_seconds_total", "User and system CPU time in seconds.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  total("nodejs_eventloop_busy_seconds_total", "Time in which the event loop ran code instead of waiting, in seconds.", () => {
    return performance.eventLoopUtilization().active / 1000;
  });
  const now = (name: string, help: string, read: () => number) =>
    gauge(registry, name, help, { read: (made) => made.set(read()) });
  now("process_resident_memory_bytes", "Resident memory in bytes.", () => process.memoryUsage.rss());
  now("nodejs_heap_size_used_bytes", "Used size of the JavaScript heap in bytes.", () => process.memoryUsage().heapUsed);
  now("process_open_fds", "Open file descriptors.", () => readdirSync("/proc/self/fd").length);
}
