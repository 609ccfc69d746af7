// The process that holds one shell: its terminal, the last bytes of its output with their absolute offsets, and the clients that
// are attached. Invariants: bytes are appended to the ring before anybody sees them; an attached client never loses a byte,
// because the terminal is not read while any client is further behind than `pending`; with nobody attached the oldest bytes are
// overwritten. It does not know who the clients are.
package main

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	frameOutput  = 1
	frameHello   = 2
	frameExit    = 3
	frameResize  = 4
	frameRefused = 0

	maxPending  = 1 << 20 // a client this far behind stops the terminal from being read
	maxFrame    = 1 << 20 // of what a client sends
	maxInput    = 8 << 20 // typed but not yet taken by the terminal; beyond it the client has to wait
	maxAttached = 16
	chunk       = 64 << 10
)

// ring is the tail of a stream. Memory grows with what is written, up to the limit.
type ring struct {
	limit int
	data  []byte // data[i] holds the byte whose offset is congruent to i modulo len(data)
	end   int64  // offset after the last byte
	begin int64  // offset of the oldest byte that is still there
}

func (r *ring) write(p []byte) {
	if len(r.data) < r.limit && int(r.end-r.begin)+len(p) > len(r.data) {
		size := max(len(r.data), 16<<10)
		for size < r.limit && size < int(r.end-r.begin)+len(p) {
			size *= 2
		}
		grown := &ring{limit: r.limit, data: make([]byte, min(size, r.limit)), end: r.begin, begin: r.begin}
		for at := r.begin; at < r.end; {
			piece := r.from(at, chunk)
			grown.put(piece)
			at += int64(len(piece))
		}
		*r = *grown
	}
	r.put(p)
}

func (r *ring) put(p []byte) {
	for len(p) > 0 {
		n := copy(r.data[int(r.end%int64(len(r.data))):], p)
		r.end += int64(n)
		p = p[n:]
	}
	r.begin = max(r.begin, r.end-int64(len(r.data)))
}

// from copies at most n bytes beginning at an offset that is still there; nil at the end.
func (r *ring) from(at int64, n int) []byte {
	if at >= r.end {
		return nil
	}
	start := int(at % int64(len(r.data)))
	n = min(n, int(r.end-at), len(r.data)-start)
	return append([]byte(nil), r.data[start:start+n]...)
}

type client struct{ pos int64 }

type holder struct {
	options
	life     string
	started  time.Time
	terminal *os.File
	process  *os.Process
	pending  int64
	typed    chan []byte

	mu       sync.Mutex
	changed  *sync.Cond
	ring     ring
	clients  map[*client]struct{}
	cols     int
	rows     int
	ended    bool // all output is in the ring and exitCode is known
	exitCode int
	inFlight int // bytes typed and not yet taken
}

func serve() error {
	ready := os.NewFile(3, "ready")
	syscall.CloseOnExec(3)
	h, listener, err := newHolder()
	if err != nil {
		json.NewEncoder(ready).Encode(map[string]string{"error": err.Error()})
		return err
	}
	err = json.NewEncoder(ready).Encode(map[string]any{"info": h.info()})
	ready.Close()
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go h.connected(conn)
	}
}

func newHolder() (*holder, net.Listener, error) {
	h := &holder{clients: map[*client]struct{}{}, typed: make(chan []byte, 1<<16), started: time.Now()}
	h.changed = sync.NewCond(&h.mu)
	if err := json.NewDecoder(os.Stdin).Decode(&h.options); err != nil {
		return nil, nil, fmt.Errorf("serve is run by start, not by people: %w", err)
	}
	h.ring.limit = h.Ring
	h.pending = int64(min(maxPending, h.Ring/2))
	h.cols, h.rows = h.Cols, h.Rows
	name := make([]byte, 8)
	rand.Read(name)
	h.life = hex.EncodeToString(name)
	path := filepath.Join(shellDir(h.ID), "socket")
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot listen on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, nil, err
	}
	if err := h.begin(); err != nil {
		listener.Close()
		return nil, nil, err
	}
	go h.readTerminal()
	go h.writeTerminal()
	return h, listener, nil
}

// account is the user that the shell runs as; without --user, whoever runs hold.
func account(name string) (*user.User, error) {
	if name == "" {
		return user.LookupId(strconv.Itoa(os.Getuid()))
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("there is no user %q here", name)
	}
	return u, nil
}

// loginShell is the last field of the user's line in /etc/passwd.
func loginShell(name string) string {
	text, err := os.ReadFile("/etc/passwd")
	if err == nil {
		for _, line := range strings.Split(string(text), "\n") {
			if f := strings.Split(line, ":"); len(f) == 7 && f[0] == name && f[6] != "" {
				return f[6]
			}
		}
	}
	return "/bin/sh"
}

// environment is what login would set; later ones win, so that --env has the last word.
func environment(u *user.User, shell string, extra []string) []string {
	path := "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
	if u.Uid == "0" {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	env := []string{"HOME=" + u.HomeDir, "USER=" + u.Username, "LOGNAME=" + u.Username, "SHELL=" + shell, "PATH=" + path, "TERM=xterm-256color", "LANG=C.UTF-8"}
	for _, e := range extra {
		key, _, _ := strings.Cut(e, "=")
		kept := env[:0]
		for _, have := range env {
			if !strings.HasPrefix(have, key+"=") {
				kept = append(kept, have)
			}
		}
		env = append(kept, e)
	}
	return env
}

// begin opens a terminal and starts the program on it, as its controlling one.
func (h *holder) begin() error {
	u, err := account(h.User)
	if err != nil {
		return err
	}
	h.User = u.Username
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	shell := loginShell(u.Username)
	if len(h.Argv) == 0 {
		h.Argv = []string{shell, "-l"}
	}
	terminal, far, err := openTerminal(h.Cols, h.Rows)
	if err != nil {
		return fmt.Errorf("cannot open a terminal: %w", err)
	}
	defer far.Close()
	env := environment(u, shell, h.Env)
	cmd := exec.Command(h.Argv[0], h.Argv[1:]...)
	for _, e := range env { // looked up in the shell's PATH, not in ours
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			cmd.Path, cmd.Err = lookup(h.Argv[0], path)
		}
	}
	cmd.Env = env
	cmd.Dir = firstDirectory(h.Cwd, u.HomeDir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = far, far, far
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if os.Getuid() == 0 {
		var groups []uint32
		ids, _ := u.GroupIds()
		for _, id := range ids {
			if n, err := strconv.ParseUint(id, 10, 32); err == nil {
				groups = append(groups, uint32(n))
			}
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: groups}
		tty := gid
		if g, err := user.LookupGroup("tty"); err == nil {
			tty, _ = strconv.Atoi(g.Gid)
		}
		far.Chown(uid, tty) // tmux and ssh open the terminal by its name
		far.Chmod(0o620)
	}
	syscall.Umask(0o022)
	if err := cmd.Start(); err != nil {
		terminal.Close()
		return fmt.Errorf("cannot run %q as %s in %s: %w", strings.Join(h.Argv, " "), u.Username, cmd.Dir, err)
	}
	h.terminal, h.process = terminal, cmd.Process
	return nil
}

func lookup(name, path string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range filepath.SplitList(path) {
		candidate := filepath.Join(dir, name)
		if st, err := os.Stat(candidate); err == nil && !st.IsDir() && st.Mode()&0o111 != 0 {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("there is no program %q in %s", name, path)
}

func firstDirectory(candidates ...string) string {
	for _, dir := range candidates {
		if st, err := os.Stat(dir); dir != "" && err == nil && st.IsDir() {
			return dir
		}
	}
	return "/"
}

// openTerminal gives the near and the far end of a new pseudo-terminal, in UTF-8 mode so that erasing takes whole characters.
func openTerminal(cols, rows int) (*os.File, *os.File, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(cols), Row: uint16(rows)})
	}
	if err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	if t, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
		t.Iflag |= unix.IUTF8
		unix.IoctlSetTermios(fd, unix.TCSETS, t)
	}
	name := fmt.Sprintf("/dev/pts/%d", n)
	far, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	return os.NewFile(uintptr(fd), "terminal"), far, nil // non-blocking, so reads and writes wait in the runtime's poller
}

func (h *holder) info() info {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := info{ID: h.ID, Pid: h.process.Pid, Running: !h.ended, End: h.ring.end, Cols: h.cols, Rows: h.rows, Attached: len(h.clients),
		User: h.User, Argv: h.Argv, Life: h.life, Started: h.started.UTC().Format(time.RFC3339)}
	if h.ended {
		code := h.exitCode
		i.ExitCode = &code
	}
	return i
}

// held back: somebody attached is too far behind. Called with mu held.
func (h *holder) heldBack() bool {
	for c := range h.clients {
		if h.ring.end-c.pos > h.pending {
			return true
		}
	}
	return false
}

// readTerminal moves output into the ring until the terminal is gone, then notes how the program ended.
func (h *holder) readTerminal() {
	waited := make(chan int, 1)
	go func() {
		state, err := h.process.Wait()
		code := exitFailed
		if err == nil {
			code = state.ExitCode()
			if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				code = 128 + int(status.Signal())
			}
		}
		waited <- code
		// What is left in the terminal is read to its end; a program that keeps the far end open must not keep us waiting. (A
		// program that ends hangs up its terminal, so this is a safeguard.) A client that is behind is waited for.
		h.mu.Lock()
		for h.heldBack() {
			h.changed.Wait()
		}
		h.mu.Unlock()
		h.terminal.SetReadDeadline(time.Now().Add(2 * time.Second))
	}()
	buffer := make([]byte, chunk)
	for {
		h.mu.Lock()
		for h.heldBack() {
			h.changed.Wait()
		}
		h.mu.Unlock()
		n, err := h.terminal.Read(buffer)
		h.mu.Lock()
		if n > 0 {
			h.ring.write(buffer[:n])
			h.changed.Broadcast()
		}
		h.mu.Unlock()
		if err != nil {
			break
		}
	}
	code := <-waited
	h.mu.Lock()
	h.ended, h.exitCode = true, code
	h.changed.Broadcast()
	h.mu.Unlock()
	h.terminal.Close()
}

// writeTerminal types. It alone may wait for a terminal whose program does not read; reading never waits for it.
func (h *holder) writeTerminal() {
	for p := range h.typed {
		h.terminal.Write(p) // fails once the terminal is gone; then typing goes nowhere, as it should
		h.mu.Lock()
		h.inFlight -= len(p)
		h.changed.Broadcast()
		h.mu.Unlock()
	}
}

func (h *holder) typing(p []byte) {
	h.mu.Lock()
	for h.inFlight+len(p) > maxInput && !h.ended {
		h.changed.Wait()
	}
	h.inFlight += len(p)
	h.mu.Unlock()
	h.typed <- p
}

func (h *holder) resize(cols, rows int) {
	if cols < 1 || rows < 1 || cols > maxCells || rows > maxCells {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return
	}
	h.cols, h.rows = cols, rows
	if raw, err := h.terminal.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(cols), Row: uint16(rows)})
		})
	}
}

func (h *holder) connected(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, chunk)
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, err := in.ReadSlice('\n')
	if err != nil {
		return
	}
	var r request
	if json.Unmarshal(line, &r) != nil {
		return
	}
	conn.SetReadDeadline(time.Time{})
	switch r.Op {
	case "info":
		json.NewEncoder(conn).Encode(h.info())
	case "kill":
		h.end()
		json.NewEncoder(conn).Encode(h.info())
		conn.Close()
		os.Exit(0)
	case "attach":
		h.attached(conn, in, r.From)
	}
}

func frame(kind byte, payload []byte) []byte {
	f := make([]byte, 5, 5+len(payload))
	f[0] = kind
	binary.BigEndian.PutUint32(f[1:], uint32(len(payload)))
	return append(f, payload...)
}

func frameJSON(kind byte, v any) []byte {
	payload, _ := json.Marshal(v)
	return frame(kind, payload)
}

// attached serves one client until it goes, or until the shell has ended and the client has everything.
func (h *holder) attached(conn net.Conn, in *bufio.Reader, from int64) {
	h.mu.Lock()
	if len(h.clients) >= maxAttached {
		h.mu.Unlock()
		fmt.Fprintf(conn, "%c%d clients are attached to %q already, which is the limit; end one of them first", frameRefused, maxAttached, h.ID)
		return
	}
	// Beyond the end: bytes of an earlier life of this id. That client is given everything, and `life` tells it why.
	switch {
	case from == -1:
		from = h.ring.end
	case from < 0 || from > h.ring.end:
		from = 0
	}
	c := &client{pos: max(from, h.ring.begin)}
	hello := frameJSON(frameHello, map[string]any{"offset": c.pos, "lost": c.pos - from, "end": h.ring.end, "cols": h.cols, "rows": h.rows,
		"pid": h.process.Pid, "running": !h.ended, "life": h.life})
	h.clients[c] = struct{}{}
	h.mu.Unlock()
	gone := false
	go func() {
		h.input(conn, in)
		conn.Close() // a write that waits for this client fails now
		h.mu.Lock()
		gone = true
		delete(h.clients, c)
		h.changed.Broadcast()
		h.mu.Unlock()
	}()
	defer func() {
		h.mu.Lock()
		delete(h.clients, c)
		h.changed.Broadcast()
		h.mu.Unlock()
	}()
	if _, err := conn.Write(hello); err != nil {
		return
	}
	for {
		h.mu.Lock()
		for c.pos == h.ring.end && !h.ended && !gone {
			h.changed.Wait()
		}
		piece, ended, code := h.ring.from(c.pos, chunk), h.ended, h.exitCode
		leave := gone
		h.mu.Unlock()
		if leave {
			return
		}
		if piece == nil && ended {
			conn.Write(frameJSON(frameExit, map[string]any{"exitCode": code, "end": c.pos}))
			return
		}
		if _, err := conn.Write(frame(frameOutput, piece)); err != nil {
			return
		}
		h.mu.Lock()
		c.pos += int64(len(piece))
		h.changed.Broadcast()
		h.mu.Unlock()
	}
}

// input takes a client's frames until it goes or says something that is none.
func (h *holder) input(conn net.Conn, in *bufio.Reader) {
	head := make([]byte, 5)
	for {
		if _, err := io.ReadFull(in, head); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head[1:])
		if size > maxFrame {
			return
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(in, payload); err != nil {
			return
		}
		switch head[0] {
		case frameOutput:
			if size > 0 {
				h.typing(payload)
			}
		case frameResize:
			var to struct{ Cols, Rows int }
			if json.Unmarshal(payload, &to) == nil {
				h.resize(to.Cols, to.Rows)
			}
		default:
			return
		}
	}
}

// end hangs up everything in the shell's session, then insists, and waits until the clients have been told.
func (h *holder) end() {
	signalSession(h.process.Pid, syscall.SIGHUP)
	signalSession(h.process.Pid, syscall.SIGCONT)
	if !h.endedWithin(700 * time.Millisecond) {
		signalSession(h.process.Pid, syscall.SIGKILL)
		h.endedWithin(3 * time.Second)
	}
	signalSession(h.process.Pid, syscall.SIGKILL) // jobs that outlived their shell
	os.RemoveAll(shellDir(h.ID))
	deadline := time.AfterFunc(time.Second, func() { h.mu.Lock(); h.clients = map[*client]struct{}{}; h.changed.Broadcast(); h.mu.Unlock() })
	defer deadline.Stop()
	h.mu.Lock()
	for len(h.clients) > 0 {
		h.changed.Wait()
	}
	h.mu.Unlock()
}

func (h *holder) endedWithin(limit time.Duration) bool {
	late := false
	timer := time.AfterFunc(limit, func() { h.mu.Lock(); late = true; h.changed.Broadcast(); h.mu.Unlock() })
	defer timer.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	for !h.ended && !late {
		h.changed.Wait()
	}
	return h.ended
}

// signalSession signals every process whose session is sid, jobs in groups of their own included.
func signalSession(sid int, signal syscall.Signal) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if got, err := unix.Getsid(pid); err == nil && got == sid {
			syscall.Kill(pid, signal)
		}
	}
}
