#!/usr/bin/perl
# A simulated tool, as a real process calls it: hands its arguments to the lab and passes bytes both ways (frames.ts). Only core modules, few of them: it
# lives as long as an ssh session does, and every megabyte counts.
use strict;
use Socket;

my ($name) = $0 =~ m{([^/]*)\z};
my $lab;
sub gone { print STDERR "$name: the lab does not answer\n"; exit 255 }
socket($lab, AF_UNIX, SOCK_STREAM, 0) or gone();
connect($lab, pack_sockaddr_un('/usr/libexec/lab/socket/lab')) or gone();
binmode $_ for $lab, *STDIN, *STDOUT, *STDERR;

my ($sending, @pending, $stty, $peer) = (0);
sub put {
  my ($handle, $bytes) = @_;
  my $at = 0;
  while ($at < length $bytes) {
    my $n = syswrite($handle, $bytes, length($bytes) - $at, $at);
    if (defined $n) { $at += $n } elsif (!$!{EINTR}) { return 0 }
  }
  return 1;
}
# A signal may come in the middle of a frame: its own frame then waits for the end of it.
sub send_lab {
  my ($type, $payload) = @_;
  push @pending, $type . pack('N', length $payload) . $payload;
  return if $sending;
  $sending = 1;
  while (@pending) { put($lab, shift @pending) or last }
  $sending = 0;
}
sub size {
  my $bytes = "\0" x 8;
  return ioctl(STDOUT, 0x5413, $bytes) ? (unpack 'S4', $bytes)[1, 0] : (80, 24);
}
sub leave {
  if (defined $stty) { system('/usr/bin/stty', $stty) }
  exit $_[0];
}
for my $signal (qw(INT TERM HUP QUIT)) { $SIG{$signal} = sub { send_lab('S', "SIG$signal") } }
# A job in the background has no terminal to read from or to make raw: it would be stopped.
my $group = pack 'l', 0;
my $typed = -t STDIN && (!ioctl(STDIN, 0x540f, $group) || unpack('l', $group) == getpgrp);
my $terminal = $typed && -t STDOUT;
$SIG{WINCH} = sub { send_lab('W', join "\0", size()) } if $terminal;

my $cwd = readlink('/proc/self/cwd');
my @size = -t STDOUT ? size() : (0, 0);
send_lab('H', join "\0", @size, $terminal ? 1 : -t STDIN ? 2 : 0, defined $cwd ? $cwd : '/', scalar(@ARGV) + 1, $name, @ARGV, map { "$_=$ENV{$_}" } keys %ENV);

my ($wanted, $have) = (0, '');
while (1) {
  my $bits = '';
  vec($bits, fileno($lab), 1) = 1;
  vec($bits, 0, 1) = 1 if $wanted;
  vec($bits, fileno($peer), 1) = 1 if $peer;
  my $n = select($bits, undef, undef, undef);
  next if $n < 0;
  if ($wanted && vec($bits, 0, 1)) {
    my $got = sysread(STDIN, my $piece, 65536);
    if (defined $got || !$!{EINTR}) {
      $wanted = 0;
      $got ? send_lab('I', $piece) : send_lab('E', '');
    }
  }
  if ($peer && vec($bits, fileno($peer), 1)) {
    my $got = sysread($peer, my $piece, 65536);
    if ($got) { send_lab('D', $piece) }
    elsif (defined $got || !$!{EINTR}) { close $peer; undef $peer; send_lab('F', '') }
  }
  next unless vec($bits, fileno($lab), 1);
  my $got = sysread($lab, $have, 262144, length $have);
  if (!$got) {
    next if !defined $got && $!{EINTR};
    print STDERR "$name: the lab went away\n";
    leave(255);
  }
  while (length $have >= 5) {
    my ($type, $length) = unpack 'a1N', $have;
    last if length $have < 5 + $length;
    my $payload = substr $have, 5, $length;
    substr($have, 0, 5 + $length) = '';
    if ($type eq 'O') { put(*STDOUT, $payload) or leave(1) }
    elsif ($type eq 'R') { put(*STDERR, $payload) }
    elsif ($type eq 'G') { $wanted = 1 }
    elsif ($type eq 'X') { leave($payload) }
    elsif ($type eq 'M') {
      chomp($stty = `/usr/bin/stty -g`);
      system '/usr/bin/stty', 'raw', '-echo';
    }
    elsif ($type eq 'B') {
      my @argv = split /\0/, $payload, -1;
      $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP QUIT WINCH);
      close $lab;
      my $program = shift @argv;
      exec { $program } @argv or leave(127);
    }
    elsif ($type eq 'c') {
      socket($peer, AF_INET, SOCK_STREAM, 0);
      if (connect($peer, pack_sockaddr_in($payload, INADDR_LOOPBACK))) { send_lab('C', '') }
      else { close $peer; undef $peer; send_lab('N', '') }
    }
    elsif ($type eq 'd') { put($peer, $payload) if $peer }
    elsif ($type eq 'f') { shutdown($peer, 1) if $peer }
  }
}
