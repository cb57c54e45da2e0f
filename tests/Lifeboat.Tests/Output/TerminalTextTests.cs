using Lifeboat.Output;

namespace Lifeboat.Tests.Output;

public sealed class TerminalTextTests
{
    [Theory]
    [InlineData("public.orders", "public.orders")]
    [InlineData("ünïcödé 漢字 🛟", "ünïcödé 漢字 🛟")]
    [InlineData("[bold]markup[/]", "[bold]markup[/]")]
    [InlineData("a\nerror LB9999: fake", "a\\nerror LB9999: fake")]
    [InlineData("tab\there\r", "tab\\there\\r")]
    [InlineData("\u001b[2J\u001b]0;title\a", "\\e[2J\\e]0;title\\x07")]
    [InlineData("\u009b31mC1 escape", "\\x9B31mC1 escape")]
    [InlineData("\u007f", "\\x7F")]
    [InlineData("evil\u202Etxt.exe", "evil\\u{202E}txt.exe")]
    [InlineData("line\u2028separator", "line\\u{2028}separator")]
    [InlineData("zero\u200Bwidth", "zero\\u{200B}width")]
    public void Names_cannot_move_the_cursor_hide_or_fake_a_line(string name, string shown) => Assert.Equal(shown, TerminalText.Safe(name));

    [Fact]
    public void A_broken_surrogate_is_shown_as_a_number() => Assert.Equal("x\\u{D83D}y", TerminalText.Safe("x\ud83dy"));
}

public sealed class RedactionTests
{
    [Theory]
    [InlineData("cannot reach postgresql://shop:s3cr&t@db:5432/shop", "cannot reach postgresql://shop:[redacted]@db:5432/shop")]
    [InlineData("postgres://u:p@ss@w/rd@host/db", "postgres://u:[redacted]@host/db")]
    [InlineData("postgresql:///shop?host=/run&password=secret&x=1", "postgresql:///shop?host=/run&password=[redacted]&x=1")]
    [InlineData("host=db password='se cret' user=x", "host=db password=[redacted] user=x")]
    [InlineData("sslpassword=geheim", "sslpassword=[redacted]")]
    [InlineData("postgresql://shop@db:5432/shop", "postgresql://shop@db:5432/shop")]
    [InlineData("nothing to hide: a=b, http://example.org/x", "nothing to hide: a=b, http://example.org/x")]
    public void Passwords_in_connection_strings_never_reach_the_screen(string text, string shown) =>
        Assert.Equal(shown, Redaction.Clean(text));
}

public sealed class QuantityTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.0 kB")]
    [InlineData(1_449_999, "1.4 MB")]
    [InlineData(99_940_000, "99.9 MB")]
    [InlineData(99_960_000, "100 MB")]
    [InlineData(999_400_000, "999 MB")]
    [InlineData(999_600_000, "1.0 GB")]
    [InlineData(1_400_000_000, "1.4 GB")]
    [InlineData(long.MaxValue, "9.2 EB")]
    public void Sizes_read_well(long bytes, string shown) => Assert.Equal(shown, Quantity.Bytes(bytes));

    [Theory]
    [InlineData(0.04, "0.0 s")]
    [InlineData(9.94, "9.9 s")]
    [InlineData(10, "10 s")]
    [InlineData(59.6, "0 min 59 s")]
    [InlineData(185, "3 min 05 s")]
    [InlineData(7800, "2 h 10 min")]
    public void Durations_read_well(double seconds, string shown) => Assert.Equal(shown, Quantity.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Counts_agree_with_their_noun()
    {
        Assert.Equal("1 row", Quantity.Count(1, "row"));
        Assert.Equal("12,345 rows", Quantity.Count(12345, "row"));
        Assert.Equal("0 entries", Quantity.Count(0, "entry"));
    }
}
