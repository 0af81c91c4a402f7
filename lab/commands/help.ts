/** What `coil-lab --help` says. */
export const HELP = `coil-lab: a Kubernetes cluster on this machine, out of network namespaces, with this checkout's programs

  coil-lab up [--nodes N] [--family ipv4|ipv6|dual]   start it, or start again what is down; 3 nodes and dual stack if not said
  coil-lab down [--force]                             remove all of it
  coil-lab status [--json]                            nodes and programs, and what is wrong with them
  coil-lab kubectl -- ARGUMENT...                     kubectl as the cluster's administrator
  coil-lab exec NODE -- COMMAND...                    run a command in the network of a node
  coil-lab pod-exec NAMESPACE/POD -- COMMAND...       ... of a pod
  coil-lab outside -- COMMAND...                      ... of a host outside of the cluster
  coil-lab logs NODE PROGRAM [--follow] [--tail N]    what a program wrote
  coil-lab kill NODE PROGRAM [--signal S]             send a signal, TERM if not said; a program that it ends stays down
  coil-lab start NODE PROGRAM                         start it again

N counts all nodes. They are called coil-control-plane, coil-worker, coil-worker2, ...; all of them take pods.
Programs: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kube-proxy, kubelet, coild, coil-router,
coil-ipam-controller; coil-lab status shows which node runs which.

Nodes are light: pods are processes of this machine in network namespaces of their own. No image is pulled: a container runs its
command with the programs and files of this machine, or just waits when it names none. Volumes, probes, envFrom, resource limits
and kubectl exec are not there; coil-lab pod-exec is.
`;
