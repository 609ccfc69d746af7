// State of a systemd unit, asked of systemd itself over its private socket, so that a replaced systemctl says nothing. The kernel
// vouches for who listens there: it must be the container's first process.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

const systemdSocket = "/run/systemd/private"

func lookUnit(ctx context.Context, r request) (answer, error) {
	if !strings.Contains(r.Name, ".") {
		r.Name += ".service"
	}
	conn, err := systemd(ctx, r.Pid)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	manager := conn.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
	var path dbus.ObjectPath
	if err := manager.CallWithContext(ctx, "org.freedesktop.systemd1.Manager.LoadUnit", 0, r.Name).Store(&path); err != nil {
		return nil, missing("not-found", "systemd does not know %s: %v", r.Name, err)
	}
	object := conn.Object("org.freedesktop.systemd1", path)
	read := func(kind string) (map[string]dbus.Variant, error) {
		values := map[string]dbus.Variant{}
		err := object.CallWithContext(ctx, "org.freedesktop.DBus.Properties.GetAll", 0, "org.freedesktop.systemd1."+kind).Store(&values)
		return values, err
	}
	unit, err := read("Unit")
	if err != nil {
		return nil, fmt.Errorf("systemd does not tell the state of %s: %w", r.Name, err)
	}
	a := answer{"name": r.Name, "load": text(unit["LoadState"]), "active": text(unit["ActiveState"]), "sub": text(unit["SubState"]),
		"enabled": text(unit["UnitFileState"]), "file": text(unit["FragmentPath"]), "mainPid": 0, "result": "", "restarts": 0}
	if dropIns, ok := unit["DropInPaths"].Value().([]string); ok {
		a["dropIns"] = dropIns
	}
	if strings.HasSuffix(r.Name, ".service") {
		if service, err := read("Service"); err == nil {
			a["mainPid"], a["result"], a["restarts"] = service["MainPID"].Value(), text(service["Result"]), service["NRestarts"].Value()
		}
	}
	return a, nil
}

func text(v dbus.Variant) string {
	s, _ := v.Value().(string)
	return s
}

// systemd connects to the systemd that is process pid.
func systemd(ctx context.Context, pid int) (*dbus.Conn, error) {
	socket, err := open([]int{pid}, systemdSocket, unix.O_PATH)
	if err != nil {
		var l looked
		if errors.As(err, &l) {
			return nil, missing("not-found", "systemd's socket is not there: %s", l.message)
		}
		return nil, err
	}
	defer socket.Close()
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d", socket.Fd()))
	if err != nil {
		return nil, missing("not-found", "systemd does not take connections: %v", err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		raw.SetDeadline(deadline.Add(time.Second))
	}
	listener, err := peer(raw.(*net.UnixConn))
	if err == nil && listener != 1 { // this child is in the container's pid namespace, where systemd is 1
		err = missing("not-found", "what listens on %s is process %d, not systemd", systemdSocket, listener)
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	conn, err := dbus.NewConn(raw)
	if err != nil {
		return nil, err
	}
	if err := conn.Auth([]dbus.Auth{dbus.AuthExternal("0")}); err != nil {
		conn.Close()
		return nil, fmt.Errorf("systemd does not accept us: %w", err)
	}
	go nudge(ctx, conn)
	return conn, nil
}

// nudge keeps sending a word that needs no answer. When systemd reads the end of the greeting and our first request in one piece, it
// keeps the request in its buffer and looks at it only when more arrives (seen with systemd 257: one request in five hung).
func nudge(ctx context.Context, conn *dbus.Conn) {
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-conn.Context().Done():
			return
		case <-every.C:
			conn.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1").Go("org.freedesktop.DBus.Peer.Ping", dbus.FlagNoReplyExpected, nil)
		}
	}
}

func peer(conn *net.UnixConn) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var credentials *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		credentials, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, err
	}
	if failed != nil {
		return 0, failed
	}
	return int(credentials.Pid), nil
}
