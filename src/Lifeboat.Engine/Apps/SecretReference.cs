using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Apps.Keys;

namespace Lifeboat.Engine.Apps;

/// <summary>Where a secret is kept.</summary>
public enum SecretScheme
{
    /// <summary><c>env:NAME</c>: an environment variable of Lifeboat's process.</summary>
    Env,

    /// <summary><c>file:PATH</c>: a file's text without its last line end; relative to the app file.</summary>
    File,

    /// <summary><c>command:PROGRAM ARGS</c>: what a program prints, without its last line end.</summary>
    Command,

    /// <summary><c>credential:NAME</c>: a file in <c>$CREDENTIALS_DIRECTORY</c> (systemd.exec(5), LoadCredential=).</summary>
    Credential,
}

/// <summary>Names a secret without holding it; its text form is safe to print.</summary>
public sealed partial record SecretReference(SecretScheme Scheme, string Locator)
{
    private static readonly (string Word, SecretScheme Scheme)[] Schemes =
    [
        ("env", SecretScheme.Env), ("file", SecretScheme.File), ("command", SecretScheme.Command), ("credential", SecretScheme.Credential),
    ];

    /// <summary>The reference as it is written, but of a command the program alone: arguments of careless commands hold secrets.</summary>
    public override string ToString()
    {
        string word = Schemes.First(s => s.Scheme == Scheme).Word;
        if (Scheme != SecretScheme.Command)
            return $"{word}:{Locator}";
        return CommandWords.TrySplit(Locator, out IReadOnlyList<string>? words, out _) ? $"{word}:{words[0]}{(words.Count > 1 ? " …" : "")}" : $"{word}:…";
    }

    /// <summary>Reads <c>env:NAME</c> and the like.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out SecretReference? reference) => TryParse(text, out reference, out _);

    internal static bool TryParse(string text, [NotNullWhen(true)] out SecretReference? reference, [NotNullWhen(false)] out Fault? fault)
    {
        reference = null;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        (string word, SecretScheme scheme) = Array.Find(Schemes, s => text.AsSpan(0, Math.Max(0, colon)).Equals(s.Word, StringComparison.Ordinal));
        if (word is null)
        {
            fault = NoScheme(text);
            return false;
        }

        string locator = text[(colon + 1)..];
        fault = Check(scheme, locator);
        if (fault is null)
            reference = new SecretReference(scheme, locator);
        return fault is null;
    }

    /// <summary>Whether a text is meant as a reference, though it may be a faulty one.</summary>
    public static bool IsMeant(string text) => MeantAsReference().IsMatch(text);

    internal static bool IsVariableName(string text) => text.Length <= 255 && VariableName().IsMatch(text);

    private static Fault NoScheme(string text)
    {
        if (text.StartsWith("vault:", StringComparison.OrdinalIgnoreCase))
            return new Fault(
                "`vault:` references are not supported by this version yet", "use `command:vault kv get -field=KEY PATH` until they are");
        if (Variable().IsMatch(text))
            return new Fault("variables are not expanded in the app file", "write `env:NAME` with the variable's name");
        return IsMeant(text)
            ? new Fault("the reference's scheme is not in lower case", "write `env:`, `file:`, `command:` or `credential:`")
            : TextRules.LiteralSecret;
    }

    private static Fault? Check(SecretScheme scheme, string locator)
    {
        if (string.IsNullOrWhiteSpace(locator))
            return new Fault("nothing stands after the reference's scheme", "write `env:NAME`, `file:PATH`, `command:PROGRAM ARGS` or `credential:NAME`");
        if (locator.Any(char.IsControl))
            return new Fault("there is a control character in the reference", "write it on one line, without escapes");
        return scheme switch
        {
            SecretScheme.Env when !IsVariableName(locator) =>
                new Fault("what stands after `env:` is not a name of an environment variable", "write `env:NAME`, with letters, digits and `_`; the value is not written here"),
            SecretScheme.File when locator.Contains("://", StringComparison.Ordinal) || locator.StartsWith("//", StringComparison.Ordinal) =>
                new Fault("what stands after `file:` is not a path", "write `file:PATH`, relative to the app file or absolute"),
            SecretScheme.File => TextRules.Path(locator),
            SecretScheme.Command => CommandWords.TrySplit(locator, out _, out Fault? fault) ? null : fault,
            SecretScheme.Credential when !CredentialName().IsMatch(locator) || locator is "." or ".." =>
                new Fault("what stands after `credential:` is not a credential's name", "write `credential:NAME`, as in systemd's `LoadCredential=NAME:…`"),
            _ => null,
        };
    }

    [GeneratedRegex("^(env|file|command|credential|vault):", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex MeantAsReference();

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex VariableName();

    [GeneratedRegex("^(\\$\\{?[A-Za-z_][A-Za-z0-9_]*\\}?|%[A-Za-z_][A-Za-z0-9_]*%)\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Variable();

    [GeneratedRegex("^[A-Za-z0-9._@:-]{1,255}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex CredentialName();
}
