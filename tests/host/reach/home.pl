# A name server that knows one address for every name, which is in /run/home-is, a service at such addresses, and a proxy
# that says what it hears.
use strict; use warnings; use IO::Socket::INET; use IO::Select;
my $dns = IO::Socket::INET->new(LocalAddr => '10.77.0.2:53', Proto => 'udp') or die "dns: $!";
my $home = IO::Socket::INET->new(LocalAddr => '10.77.0.3:443', Listen => 9, ReuseAddr => 1) or die "home: $!";
my $moved = IO::Socket::INET->new(LocalAddr => '10.77.0.5:443', Listen => 9, ReuseAddr => 1) or die "moved: $!";
my $proxy = IO::Socket::INET->new(LocalAddr => '10.77.0.4:3128', Listen => 9, ReuseAddr => 1) or die "proxy: $!";
my $all = IO::Select->new($dns, $home, $moved, $proxy);
while (my @ready = $all->can_read) {
  for my $one (@ready) {
    if ($one == $dns) {
      my $from = $dns->recv(my $asked, 512) or next;
      my ($id, $question) = (substr($asked, 0, 2), substr($asked, 12));
      $question =~ s/^((?:[^\0].*?)\0....).*$/$1/s;
      my $is_a = substr($question, -4, 2) eq "\0\1";
      my $answer = $is_a ? "\xc0\x0c\0\1\0\1\0\0\0\0\0\4" . pack('C4', split(/\./, address())) : '';
      $dns->send($id . "\x85\x80\0\1\0" . chr($is_a ? 1 : 0) . "\0\0\0\0" . $question . $answer, 0, $from);
    } elsif ($one == $home || $one == $moved) {
      my $caller = $one->accept or next;
      print $caller "home\n"; close $caller;
    } elsif ($one == $proxy) {
      $all->add($proxy->accept);
    } else {
      my $line = <$one>;
      if (defined $line) { print $one $line; $one->flush } else { $all->remove($one); close $one }
    }
  }
}

sub address {
  open(my $file, '<', '/run/home-is') or die "home-is: $!";
  my $line = <$file> // '';
  return $line =~ /([0-9.]+)/ ? $1 : '192.0.2.1';
}
