// probe is the grader's eyes: it looks at the network, files and units of a container or pod from outside, with nothing of that
// container's own in the way (no program, no hosts file, no symlink of a learner's). JSON arrays of requests on standard
// input, JSON arrays of answers on standard output, in the same order. This file takes requests apart and runs each in a
// child of its own inside the network namespace asked for; what is looked at is in files.go, unit.go, network.go and dns.go.
// It does not know what is being graded. Nothing but the operations of machine.go, which prepare and restore machines, changes anything.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	defaultTimeout = 3000
	maxTimeout     = 30000
	maxRequests    = 512
	maxInput       = 32 << 20
	atOnce         = 16              // children at a time in one program, each some 10 MB
	grace          = 2 * time.Second // what a child may take beyond its own time before it is taken for hung
	idle           = 10 * time.Minute
)

const usage = `probe looks at containers and pods from outside.

  probe          one JSON array of requests on standard input, one of answers on standard output
  probe serve    as many as come: a line {"id", "requests": [...]} each, answered by a line {"id", "answers": [...]} or
                 {"id", "error"} as soon as it is; ends with its input, or when nothing has come for ten minutes
  probe wait     stays until it is told to end (the sidecar's main process)

Request: {"op", "pid", "podUid"?, "timeoutMs"? (3000, at most 30000), ...}
  tcp  host, port                      open | refused | timeout | unreachable | dns-failed
  udp  host, port, payload? (base64)   answered | refused | timeout | unreachable | dns-failed
  dns  name, server?, port?, protocol? answered | nxdomain | servfail | refused | timeout | unreachable | no-data
  http url, host?, method?             answered | refused | timeout | unreachable | dns-failed
  read path, limit?   stat path   list path   unit name
  write path, args {content, mode?, user?}           tree args {paths, deep, content?}   put args {remove, nodes}
  processes                                          kill args {pids, tree?}
pid: of the container's first process, as this host counts; podUid: look from that pod, on the node that pid is (for a static
pod its annotation kubernetes.io/config.hash).
Answer: {"ok":true, ...} or {"ok":false,"error":{"kind","message"}}; kind is not-found, no-such-pod, too-large, bad-request, or
grader, which means that this program failed, not what it looked at.`

// request is one question. Which fields count depends on Op.
type request struct {
	Op        string `json:"op"`
	Pid       int    `json:"pid"`
	PodUID    string `json:"podUid,omitempty"`
	TimeoutMs int    `json:"timeoutMs,omitempty"`
	Host      string `json:"host,omitempty"`
	Port      int    `json:"port,omitempty"`
	Payload   []byte `json:"payload,omitempty"`
	Name      string `json:"name,omitempty"`
	Type      string `json:"type,omitempty"`
	Server    string `json:"server,omitempty"`
	Protocol  string `json:"protocol,omitempty"`
	URL       string `json:"url,omitempty"`
	Method    string `json:"method,omitempty"`
	Path      string `json:"path,omitempty"`
	Limit     int64  `json:"limit,omitempty"`
	// Args are those of the operations in machine.go
	Args json.RawMessage `json:"args,omitempty"`
	// Roots are processes whose root directory may be read for this request, best first; filled in by the parent.
	Roots []int `json:"roots,omitempty"`
}

// answer is what comes back: fields by kind of request, or an error.
type answer map[string]any

type looked struct{ kind, message string }

func (l looked) Error() string { return l.message }

func missing(kind, format string, args ...any) error {
	return looked{kind, fmt.Sprintf(format, args...)}
}

func refusal(err error) answer {
	kind := "grader"
	var l looked
	if errors.As(err, &l) {
		kind = l.kind
	}
	return answer{"ok": false, "error": map[string]string{"kind": kind, "message": err.Error()}}
}

func main() {
	switch {
	case len(os.Args) == 1:
		end(once(os.Stdin, os.Stdout))
	case os.Args[1] == "serve":
		end(serve(os.Stdin, os.Stdout, idle))
	case os.Args[1] == "child":
		child()
	case os.Args[1] == "wait":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
		<-stop
	case os.Args[1] == "help" || os.Args[1] == "-h" || os.Args[1] == "--help":
		fmt.Println(usage)
	default:
		fmt.Fprintf(os.Stderr, "probe: unknown command %q\n%s\n", os.Args[1], usage)
		os.Exit(2)
	}
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

// once answers one array. An error means that there was no array to answer.
func once(in io.Reader, out io.Writer) error {
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return err
	}
	if len(text) > maxInput {
		return fmt.Errorf("more than %d bytes of requests; send fewer at once", maxInput)
	}
	var requests []request
	if err := json.Unmarshal(text, &requests); err != nil {
		return fmt.Errorf("standard input is not a JSON array of requests (%w); see `probe help`", err)
	}
	answers, err := all(requests)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(answers)
}

// serve answers lines until its input ends, each in its own time: a slow one holds up no other.
func serve(in io.Reader, out io.Writer, idle time.Duration) error {
	type call struct {
		ID       int64     `json:"id"`
		Requests []request `json:"requests"`
	}
	type reply struct {
		ID      int64    `json:"id"`
		Answers []answer `json:"answers,omitempty"`
		Error   string   `json:"error,omitempty"`
	}
	lines, ended := make(chan []byte), make(chan error, 1)
	go func() {
		scanner := bufio.NewScanner(in)
		scanner.Buffer(make([]byte, 1<<16), maxInput)
		for scanner.Scan() {
			lines <- bytes.Clone(scanner.Bytes())
		}
		ended <- scanner.Err()
	}()
	var one sync.Mutex
	var open sync.WaitGroup
	encoder := json.NewEncoder(out)
	for {
		select {
		case line := <-lines:
			open.Add(1)
			go func() {
				defer open.Done()
				var c call
				var r reply
				err := json.Unmarshal(line, &c)
				if err == nil {
					r.Answers, err = all(c.Requests)
				}
				r.ID = c.ID
				if err != nil {
					r.Error = err.Error()
				}
				one.Lock()
				defer one.Unlock()
				encoder.Encode(r)
			}()
		case err := <-ended:
			if errors.Is(err, bufio.ErrTooLong) {
				return fmt.Errorf("a line of more than %d bytes; send fewer requests at once", maxInput)
			}
			open.Wait()
			return err
		case <-time.After(idle):
			// Whoever started this may have gone without a word.
			open.Wait()
			return nil
		}
	}
}

var slots = make(chan struct{}, atOnce)

// all answers requests side by side, in their order.
func all(requests []request) ([]answer, error) {
	if len(requests) > maxRequests {
		return nil, fmt.Errorf("%d requests; at most %d at once", len(requests), maxRequests)
	}
	answers := make([]answer, len(requests))
	var every sync.WaitGroup
	for i, r := range requests {
		every.Add(1)
		slots <- struct{}{}
		go func() {
			defer every.Done()
			defer func() { <-slots }()
			a, err := look(r)
			if err != nil {
				a = refusal(err)
			}
			answers[i] = a
		}()
	}
	every.Wait()
	return answers, nil
}

// look finds the place, then has a child look there.
func look(r request) (answer, error) {
	if err := check(&r); err != nil {
		return nil, err
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d/ns/net", r.Pid)); err != nil {
		return nil, missing("not-found", "there is no process %d; the container has ended or was started anew", r.Pid)
	}
	at := r.Pid
	r.Roots = []int{r.Pid}
	if r.PodUID != "" {
		processes, err := podProcesses("/proc", r.Pid, r.PodUID)
		if err != nil {
			return nil, err
		}
		at, r.Roots = processes[0], processes
	}
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", at))
	if err != nil {
		return nil, missing("not-found", "process %d has just ended", at)
	}
	defer namespace.Close()
	return inNamespace(namespace, r)
}

// inNamespace runs a child in a network namespace. The thread that entered it is never given back: its goroutine stays locked to
// it, and Go ends such a thread with its goroutine.
func inNamespace(namespace *os.File, r request) (answer, error) {
	type outcome struct {
		a   answer
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- outcome{nil, fmt.Errorf("cannot enter the network namespace (%w); the grader must run privileged, in the host's pid namespace", err)}
			return
		}
		if r.Op == "unit" { // systemd hangs up on a client that has no pid in its own namespace
			if err := enterPidNamespace(r.Pid); err != nil {
				done <- outcome{nil, err}
				return
			}
		}
		a, err := runChild(r)
		done <- outcome{a, err}
	}()
	o := <-done
	return o.a, o.err
}

// enterPidNamespace: what this thread starts from now on has a pid in the container too. setns(2)
func enterPidNamespace(pid int) error {
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/pid", pid))
	if err != nil {
		return missing("not-found", "process %d has just ended", pid)
	}
	defer namespace.Close()
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWPID); err != nil {
		return fmt.Errorf("cannot enter the pid namespace: %w", err)
	}
	return nil
}

func runChild(r request) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.TimeoutMs)*time.Millisecond+grace)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "child")
	text, _ := json.Marshal(r)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &out, &errs
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "PROBE_AS_COMMAND=1") // only the tests' own binary heeds it
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s did not finish within %d ms", r.Op, r.TimeoutMs)
		}
		return nil, fmt.Errorf("%s failed: %w %s", r.Op, err, bytes.TrimSpace(errs.Bytes()))
	}
	var a answer
	if err := json.Unmarshal(out.Bytes(), &a); err != nil {
		return nil, fmt.Errorf("%s gave no answer: %w", r.Op, err)
	}
	return a, nil
}

// child does one request where it finds itself.
func child() {
	var r request
	if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
		fmt.Fprintln(os.Stderr, "child is run by probe itself:", err)
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.TimeoutMs)*time.Millisecond)
	defer cancel()
	began := time.Now()
	a, err := operations[r.Op](ctx, r)
	if err != nil {
		a = refusal(err)
	} else {
		a["ok"] = true
		a["millis"] = float64(time.Since(began).Microseconds()) / 1000
	}
	json.NewEncoder(os.Stdout).Encode(a)
}

var operations = map[string]func(context.Context, request) (answer, error){
	"tcp": lookTCP, "udp": lookUDP, "dns": lookDNS, "http": lookHTTP, "read": readPath, "stat": statPath, "list": listPath, "unit": lookUnit,
}

// check refuses what makes no sense and fills in defaults.
func check(r *request) error {
	if operations[r.Op] == nil {
		return missing("bad-request", "unknown op %q", r.Op)
	}
	if r.Pid < 1 {
		return missing("bad-request", "pid must be that of the container's first process, not %d", r.Pid)
	}
	if r.TimeoutMs == 0 {
		r.TimeoutMs = defaultTimeout
	}
	if r.TimeoutMs < 1 || r.TimeoutMs > maxTimeout {
		return missing("bad-request", "timeoutMs must be between 1 and %d, not %d", maxTimeout, r.TimeoutMs)
	}
	needs := map[string]bool{"host": r.Host != "", "name": r.Name != "", "url": r.URL != "", "path": r.Path != "", "port": r.Port > 0 && r.Port < 65536}
	for _, field := range map[string][]string{"tcp": {"host", "port"}, "udp": {"host", "port"}, "dns": {"name"}, "http": {"url"}, "read": {"path"}, "stat": {"path"}, "list": {"path"}, "unit": {"name"}}[r.Op] {
		if !needs[field] {
			return missing("bad-request", "%s needs %s", r.Op, field)
		}
	}
	return nil
}
