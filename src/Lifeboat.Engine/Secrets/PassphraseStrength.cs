using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Secrets;

/// <summary>
/// Estimates how hard an encryption password is to guess. A bundle's key derivation costs an attacker little (PBKDF2 with 1,000
/// rounds), so the password itself has to be strong.
/// </summary>
public static class PassphraseStrength
{
    /// <summary>Below this many bits a password is called guessable.</summary>
    public const double LeastBits = 60;

    // A word out of a list that attackers try, whatever its length; five letters to a word in a run of letters.
    private const double BitsPerWord = 14;
    private const double BitsPerCommonWord = 3;

    private static readonly string[] Common =
    [
        "password", "passphrase", "passwort", "lifeboat", "postgres", "changeme", "changeit", "welcome", "letmein", "iloveyou", "default", "backup",
        "secret", "qwerty", "qwertz", "azerty", "asdfgh", "zxcvbn", "dragon", "monkey", "master", "shadow", "hunter", "summer", "winter", "spring",
        "autumn", "admin", "guest", "login", "odoo", "root", "test", "demo", "user", "pass",
    ];

    /// <summary>A warning where the password is guessable; null where it is not.</summary>
    /// <param name="where">The reference that it came from.</param>
    public static Problem? Check(Secret password, string where)
    {
        if (EstimateBits(password.Reveal()) >= LeastBits)
            return null;
        return new Problem(
            ErrorCodes.PasswordGuessable,
            "the encryption password is short or easy to guess; whoever has a bundle can try millions of passwords a second",
            "use a random one of at least 20 characters: `lifeboat init` in an empty folder makes one. Bundles made so far keep the old one",
            where);
    }

    /// <summary>About how many bits of chance there are in a password.</summary>
    internal static double EstimateBits(string password)
    {
        string plain = Unmasked(password);
        double pool = Math.Log2(Pool(password));
        double bits = 0;
        for (int at = 0; at < plain.Length;)
        {
            if (Array.Find(Common, word => plain.AsSpan(at).StartsWith(word)) is { } common)
            {
                bits += BitsPerCommonWord;
                at += common.Length;
                continue;
            }

            int length = RunLength(plain, at);
            bits += RunBits(plain.AsSpan(at, length), pool);
            at += length;
        }

        // Few different characters: however many there are, there is little to guess.
        int different = password.Distinct().Count();
        return different < 5 ? Math.Min(bits, different * 8) : bits;
    }

    private static int RunLength(string plain, int at)
    {
        Func<char, bool> alike = char.IsLetter(plain[at]) ? char.IsLetter : char.IsDigit(plain[at]) ? char.IsDigit : static _ => false;
        int end = at + 1;
        while (end < plain.Length && alike(plain[end]) && !Common.Any(word => plain.AsSpan(end).StartsWith(word)))
            end++;
        return end - at;
    }

    private static double RunBits(ReadOnlySpan<char> run, double pool)
    {
        double bits = 0;
        for (int i = 0; i < run.Length; i++)
        {
            // The third of "abc", "321" or "aaa" follows from the two before it.
            bool follows = i > 1 && Math.Abs(run[i] - run[i - 1]) <= 1 && run[i] - run[i - 1] == run[i - 1] - run[i - 2];
            bits += follows ? 1 : char.IsDigit(run[i]) ? Math.Min(pool, 4.5) : pool;
        }

        return run.Length < 4 || !char.IsLetter(run[0]) ? bits : Math.Min(bits, BitsPerWord * Math.Ceiling(run.Length / 5.0));
    }

    private static int Pool(string password)
    {
        int pool = (password.Any(char.IsAsciiLetterLower) ? 26 : 0) + (password.Any(char.IsAsciiLetterUpper) ? 26 : 0)
            + (password.Any(char.IsAsciiDigit) ? 10 : 0) + (password.Any(static c => !char.IsAsciiLetterOrDigit(c)) ? 20 : 0);
        return Math.Max(2, pool);
    }

    // What people put in place of letters, put back.
    private static string Unmasked(string password) => string.Create(password.Length, password, static (plain, from) =>
    {
        for (int i = 0; i < plain.Length; i++)
        {
            char c = char.ToLowerInvariant(from[i]);
            bool amongLetters = (i > 0 && char.IsLetter(from[i - 1])) || (i + 1 < from.Length && char.IsLetter(from[i + 1]));
            plain[i] = !amongLetters ? c : c switch { '@' or '4' => 'a', '0' => 'o', '1' or '!' => 'i', '3' => 'e', '$' or '5' => 's', _ => c };
        }
    });
}
