using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Secrets;

public sealed class PassphraseTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("hunter2")]
    [InlineData("password")]
    [InlineData("P@ssw0rd123456")]
    [InlineData("Summer2026!")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("abababababababababababababab")]
    [InlineData("12345678901234567890")]
    [InlineData("abcdefghijklmnopqrstuvwxyz")]
    [InlineData("qwertyuiop")]
    [InlineData("passwordpasswordpassword")]
    [InlineData("backup-admin-2026")]
    [InlineData("monkeybanana123")]
    public void A_guessable_password_is_warned_about(string password)
    {
        Problem? problem = PassphraseStrength.Check(new Secret(password), "env:P");
        Assert.NotNull(problem);
        Assert.Equal(ErrorCodes.PasswordGuessable, problem.Code);
        if (password.Length > 1)
            Assert.DoesNotContain(password == "password" ? "'password'" : password, problem + problem.Hint);
    }

    [Theory]
    [InlineData("correct horse battery staple umbrella")]
    [InlineData("tG7#kQ9vLm2$xRzW")]
    [InlineData("9f86d081884c7d659a2feaa0c55ad015")]
    [InlineData("6f1ed002-ab55-4b9d-8f4e-1f1e0c9ad6b2")]
    public void A_strong_password_is_not(string password) => Assert.Null(PassphraseStrength.Check(new Secret(password), "env:P"));

    [Fact]
    public void Generated_passphrases_are_strong_readable_and_all_different()
    {
        using TemporaryFolder folder = new();
        TestHost host = new(folder.Path);
        HashSet<string> seen = [];
        for (int i = 0; i < 1000; i++)
        {
            string text = Passphrase.Generate(host.Context.Host).Reveal();
            Assert.Matches("^[a-z2-7]{5}-[a-z2-7]{5}-[a-z2-7]{5}-[a-z2-7]{5}-[a-z2-7]{6}$", text);
            Assert.True(seen.Add(text));
            Assert.Null(PassphraseStrength.Check(new Secret(text), "x"));
        }
    }

    [Fact]
    public void Every_one_of_the_128_bits_is_in_the_passphrase()
    {
        using TemporaryFolder folder = new();
        HashSet<string> seen = [];
        for (int bit = 0; bit < 128; bit++)
        {
            int set = bit;
            TestHost host = new(folder.Path);
            Assert.True(seen.Add(Passphrase.Generate(host.Context.Host with { FillRandom = buffer =>
            {
                buffer.Span.Clear();
                buffer.Span[set / 8] = (byte)(1 << (set % 8));
            } }).Reveal()));
        }
    }
}
