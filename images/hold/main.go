// hold keeps a person's shell alive where it runs, whatever becomes of the clients that look at it. This file is the command
// line: start, attach, list, kill. Every shell is served by a process of its own (serve.go) behind a unix socket that only root
// may open; `attach` is nothing but a pipe between that socket and its own standard streams. It knows nothing of Docker, ssh,
// browsers or Kubernetes.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	defaultState = "/run/hold"
	defaultRing  = 4 << 20
	minRing      = 64 << 10
	maxRing      = 64 << 20
	maxShells    = 64
	maxCells     = 1000 // columns or rows of a terminal
)

// Exit codes of the command, so that a caller need not read English.
const (
	exitFailed  = 1
	exitUsage   = 2
	exitNoSuch  = 3
	exitRefused = 4
)

const usage = `hold keeps a shell running, with its output, whoever looks at it.

  hold start --id ID --cols C --rows R [--ring BYTES] [--user NAME] [--cwd DIR] [--env K=V]... -- argv...
        starts argv on a terminal of its own and prints {"id","pid","running",...}; if ID exists, prints that and changes nothing.
        Without argv: the user's login shell.
  hold attach --id ID [--from N]
        frames [type u8][length u32 big endian][payload] on standard output, from byte N of the output (default 0, -1: from now on)
        2 {"offset","lost","end","cols","rows","pid","running","life"} comes first, 1 output, 3 {"exitCode","end"} when it has ended;
        on standard input 1 is typed, 4 {"cols","rows"} resizes; end of input detaches.
  hold list             a JSON array of what is held here
  hold kill --id ID     ends the shell and all it started on its terminal, and forgets it

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such shell, 4 refused (a limit).`

// problem is an error with its exit code.
type problem struct {
	code    int
	message string
}

func (p problem) Error() string { return p.message }

func fail(code int, format string, args ...any) error {
	return problem{code, fmt.Sprintf(format, args...)}
}

func main() {
	err := run(os.Args[1:])
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "hold: "+err.Error())
	var p problem
	if errors.As(err, &p) {
		os.Exit(p.code)
	}
	os.Exit(exitFailed)
}

func run(args []string) error {
	if len(args) == 0 {
		return fail(exitUsage, "no command given\n%s", usage)
	}
	switch args[0] {
	case "start":
		o, err := parse(args[1:], "id", "cols", "rows", "ring", "user", "cwd", "env")
		if err != nil {
			return err
		}
		return start(o)
	case "attach":
		o, err := parse(args[1:], "id", "from")
		if err != nil {
			return err
		}
		return attach(o)
	case "list":
		return list()
	case "kill":
		o, err := parse(args[1:], "id")
		if err != nil {
			return err
		}
		return kill(o.ID)
	case "serve": // what start runs in the background; not for people
		return serve()
	case "help", "-h", "--help":
		fmt.Println(usage)
		return nil
	}
	return fail(exitUsage, "unknown command %q; the commands are start, attach, list and kill", args[0])
}

// options are those of start and attach; start hands them to serve as JSON.
type options struct {
	ID   string   `json:"id"`
	Cols int      `json:"cols"`
	Rows int      `json:"rows"`
	Ring int      `json:"ring"`
	User string   `json:"user"`
	Cwd  string   `json:"cwd"`
	Env  []string `json:"env"`
	Argv []string `json:"argv"`
	From int64    `json:"-"`
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// parse reads `--name value` and `--name=value`; everything after `--` is argv.
func parse(args []string, allowed ...string) (options, error) {
	o := options{Cols: 80, Rows: 24, Ring: defaultRing}
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			o.Argv = args[i+1:]
			break
		}
		name, value, found := strings.Cut(strings.TrimPrefix(args[i], "--"), "=")
		if !strings.HasPrefix(args[i], "--") || !contains(allowed, name) {
			return o, fail(exitUsage, "unexpected argument %q; allowed here: --%s", args[i], strings.Join(allowed, ", --"))
		}
		if !found {
			if i++; i >= len(args) {
				return o, fail(exitUsage, "--%s needs a value", name)
			}
			value = args[i]
		}
		var err error
		switch name {
		case "id":
			o.ID = value
		case "user":
			o.User = value
		case "cwd":
			o.Cwd = value
		case "env":
			if key, _, ok := strings.Cut(value, "="); !ok || key == "" {
				return o, fail(exitUsage, "--env wants NAME=VALUE, not %q", value)
			}
			o.Env = append(o.Env, value)
		case "from":
			o.From, err = strconv.ParseInt(value, 10, 64)
		case "cols":
			o.Cols, err = number(value, 1, maxCells)
		case "rows":
			o.Rows, err = number(value, 1, maxCells)
		case "ring":
			o.Ring, err = number(value, minRing, maxRing)
		}
		if err != nil {
			return o, fail(exitUsage, "--%s %s: %v", name, value, err)
		}
	}
	if !idPattern.MatchString(o.ID) {
		return o, fail(exitUsage, "--id %q is not a name: letters, digits, dot, dash, underscore, at most 64, beginning with a letter or digit", o.ID)
	}
	return o, nil
}

func number(text string, low, high int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, errors.New("not a number")
	}
	if n < low || n > high {
		return 0, fmt.Errorf("must be between %d and %d", low, high)
	}
	return n, nil
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

// stateDir is where sockets live; HOLD_STATE moves it (tests, or a person who is not root).
func stateDir() string {
	if dir := os.Getenv("HOLD_STATE"); dir != "" {
		return dir
	}
	return defaultState
}

func shellDir(id string) string { return filepath.Join(stateDir(), "shells", id) }

func prepareState() error {
	dir := filepath.Join(stateDir(), "shells")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(exitFailed, "cannot make %s (%v); run hold as root, or set HOLD_STATE to a directory of your own", dir, err)
	}
	return os.Chmod(stateDir(), 0o700)
}

// lockState makes start and kill one at a time; released when the file is closed.
func lockState() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(stateDir(), "lock"), os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fail(exitFailed, "cannot open the lock: %v", err)
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fail(exitFailed, "cannot take the lock: %v", err)
	}
	return f, nil
}

// info is what a shell says of itself: printed by start and list, and part of attach's first frame.
type info struct {
	ID       string   `json:"id"`
	Pid      int      `json:"pid"`
	Running  bool     `json:"running"`
	ExitCode *int     `json:"exitCode,omitempty"`
	End      int64    `json:"end"`
	Cols     int      `json:"cols"`
	Rows     int      `json:"rows"`
	Attached int      `json:"attached"`
	User     string   `json:"user"`
	Argv     []string `json:"argv"`
	// Life names this run of the shell; another one under the same id has another, and its offsets begin at 0 again.
	Life    string `json:"life"`
	Started string `json:"started"`
}

// request is the one line with which a client opens a connection to a shell's socket.
type request struct {
	Op   string `json:"op"` // info, attach, kill
	From int64  `json:"from"`
}

// dial connects to a held shell. What a stopped container left behind refuses the connection and counts as not there.
func dial(id string, r request) (net.Conn, error) {
	conn, err := net.Dial("unix", filepath.Join(shellDir(id), "socket"))
	if err != nil {
		return nil, fail(exitNoSuch, "there is no shell %q here; `hold start --id %s ...` makes one, `hold list` shows those that are", id, id)
	}
	line, _ := json.Marshal(r)
	if _, err := conn.Write(append(line, '\n')); err != nil {
		conn.Close()
		return nil, fail(exitFailed, "the shell %q does not take requests: %v", id, err)
	}
	return conn, nil
}

func ask(id string, op string) (info, error) {
	var i info
	conn, err := dial(id, request{Op: op})
	if err != nil {
		return i, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if err := json.NewDecoder(bufio.NewReader(conn)).Decode(&i); err != nil {
		return i, fail(exitFailed, "the shell %q does not answer: %v", id, err)
	}
	return i, nil
}

func held() ([]info, error) {
	entries, err := os.ReadDir(filepath.Join(stateDir(), "shells"))
	if err != nil && !os.IsNotExist(err) {
		return nil, fail(exitFailed, "cannot read %s: %v", stateDir(), err)
	}
	all := []info{}
	for _, e := range entries {
		if i, err := ask(e.Name(), "info"); err == nil {
			all = append(all, i)
		}
	}
	sort.Slice(all, func(a, b int) bool { return all[a].ID < all[b].ID })
	return all, nil
}

func printJSON(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }

func list() error {
	all, err := held()
	if err != nil {
		return err
	}
	return printJSON(all)
}

func start(o options) error {
	if err := prepareState(); err != nil {
		return err
	}
	lock, err := lockState()
	if err != nil {
		return err
	}
	defer lock.Close()
	if i, err := ask(o.ID, "info"); err == nil {
		return printJSON(i)
	}
	all, err := held()
	if err != nil {
		return err
	}
	if len(all) >= maxShells {
		return fail(exitRefused, "%d shells are held here already, which is the limit; end one with `hold kill --id ID`", maxShells)
	}
	dir := shellDir(o.ID)
	if err := os.RemoveAll(dir); err != nil { // left behind by a container that was stopped
		return fail(exitFailed, "cannot clear %s: %v", dir, err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fail(exitFailed, "cannot make %s: %v", dir, err)
	}
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fail(exitFailed, "cannot open the log: %v", err)
	}
	defer log.Close()
	readEnd, writeEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	defer readEnd.Close()
	wanted, _ := json.Marshal(o)
	cmd := exec.Command("/proc/self/exe", "serve")
	cmd.Stdin = strings.NewReader(string(wanted))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{writeEnd}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		writeEnd.Close()
		return fail(exitFailed, "cannot start the process that holds the shell: %v", err)
	}
	writeEnd.Close()
	var answer struct {
		Info  *info  `json:"info"`
		Error string `json:"error"`
	}
	if err := json.NewDecoder(readEnd).Decode(&answer); err != nil {
		cmd.Wait()
		text, _ := os.ReadFile(filepath.Join(dir, "log"))
		return fail(exitFailed, "the process that holds the shell ended at once: %s", strings.TrimSpace(string(text)))
	}
	if answer.Info == nil {
		cmd.Wait()
		os.RemoveAll(dir)
		return fail(exitFailed, "%s", answer.Error)
	}
	return printJSON(answer.Info) // the holder lives on; init reaps it
}

func attach(o options) error {
	conn, err := dial(o.ID, request{Op: "attach", From: o.From})
	if err != nil {
		return err
	}
	go func() {
		_, err := io.Copy(conn, os.Stdin)
		if err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			fmt.Fprintln(os.Stderr, "hold: reading standard input:", err)
			os.Exit(exitFailed)
		}
		if err == nil {
			os.Exit(0) // detach, even while standard output is not read
		}
	}()
	first := make([]byte, 1)
	if _, err := io.ReadFull(conn, first); err != nil {
		return fail(exitFailed, "the shell %q closed the connection", o.ID)
	}
	if first[0] == frameRefused { // the rest is a sentence
		text, _ := io.ReadAll(io.LimitReader(conn, 4096))
		return fail(exitRefused, "%s", text)
	}
	if _, err := os.Stdout.Write(first); err != nil {
		return nil
	}
	if _, err := io.Copy(os.Stdout, conn); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		return fail(exitFailed, "the connection to the shell broke: %v", err)
	}
	return nil
}

func kill(id string) error {
	if err := prepareState(); err != nil {
		return err
	}
	lock, err := lockState()
	if err != nil {
		return err
	}
	defer lock.Close()
	i, err := ask(id, "kill")
	if err != nil {
		var p problem
		if errors.As(err, &p) && p.code == exitNoSuch {
			os.RemoveAll(shellDir(id))
		}
		return err
	}
	return printJSON(i)
}
