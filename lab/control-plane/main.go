// Command control-plane is a whole Kubernetes control plane in one binary, for the lab and for the tests that need a real API
// server. The first argument chooses the program; the rest goes to it unchanged. One binary links the shared packages once, which
// makes it a third of the size of the separate programs and a single thing to cache.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/component-base/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"context"
)

var programs = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
}

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	name := os.Args[1]
	// kubectl derives its help texts and the other programs their flag errors from argv[0].
	os.Args = append([]string{name}, os.Args[2:]...)
	switch {
	case name == "etcd":
		etcdmain.Main(os.Args)
	case name == "version":
		fmt.Println(version.Get().GitVersion)
	case programs[name] != nil:
		os.Exit(cli.Run(programs[name]()))
	default:
		usage()
	}
}

func usage() {
	names := []string{"etcd", "version"}
	for name := range programs {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "usage: control-plane PROGRAM [ARGUMENT...]; PROGRAM is one of %s\n", strings.Join(names, ", "))
	os.Exit(2)
}
