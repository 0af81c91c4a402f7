// Command cni-client does what a container runtime does, with the library that runtimes use for it (libcni): it reads one request
// as JSON from standard input and answers with {"result": ...} or {"error": {"code", "msg", "details"}}.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

type request struct {
	Command          string               `json:"command"`
	ConfList         json.RawMessage      `json:"confList"`
	BinDirs          []string             `json:"binDirs"`
	CacheDir         string               `json:"cacheDir"`
	ContainerID      string               `json:"containerId"`
	NetNS            string               `json:"netns"`
	IfName           string               `json:"ifname"`
	Args             [][2]string          `json:"args"`
	CapabilityArgs   map[string]any       `json:"capabilityArgs"`
	ValidAttachments []types.GCAttachment `json:"validAttachments"`
}

func run(req request) (any, error) {
	ctx := context.Background()
	list, err := libcni.NetworkConfFromBytes(req.ConfList)
	if err != nil {
		return nil, err
	}
	cni := libcni.NewCNIConfigWithCacheDir(req.BinDirs, req.CacheDir, nil)
	conf := &libcni.RuntimeConf{
		ContainerID:    req.ContainerID,
		NetNS:          req.NetNS,
		IfName:         req.IfName,
		Args:           req.Args,
		CapabilityArgs: req.CapabilityArgs,
	}
	switch req.Command {
	case "ADD":
		return cni.AddNetworkList(ctx, list, conf)
	case "CHECK":
		return nil, cni.CheckNetworkList(ctx, list, conf)
	case "DEL":
		return nil, cni.DelNetworkList(ctx, list, conf)
	case "GC":
		return nil, cni.GCNetworkList(ctx, list, &libcni.GCArgs{ValidAttachments: req.ValidAttachments})
	case "STATUS":
		return nil, cni.GetStatusNetworkList(ctx, list)
	case "VALIDATE":
		return cni.ValidateNetworkList(ctx, list)
	case "VERSION":
		info, err := cni.GetVersionInfo(ctx, list.Plugins[0].Network.Type)
		if err != nil {
			return nil, err
		}
		return info.SupportedVersions(), nil
	}
	return nil, fmt.Errorf("unknown command %q", req.Command)
}

func answer(result any, err error) map[string]any {
	if err == nil {
		return map[string]any{"result": result}
	}
	var cniError *types.Error
	if errors.As(err, &cniError) {
		return map[string]any{"error": map[string]any{"code": cniError.Code, "msg": cniError.Msg, "details": cniError.Details}}
	}
	return map[string]any{"error": map[string]any{"code": 0, "msg": err.Error()}}
}

func main() {
	var req request
	if err := json.NewDecoder(os.Stdin).Decode(&req); err != nil {
		fmt.Fprintln(os.Stderr, "cannot read the request:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer(run(req))); err != nil {
		fmt.Fprintln(os.Stderr, "cannot write the answer:", err)
		os.Exit(1)
	}
}
