using System.Globalization;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>What <c>ALTER ROLE … WITH …</c> says of a role.</summary>
/// <param name="Flags">By key word without NO, lower case: <c>superuser</c>, <c>login</c>, …</param>
/// <param name="ConnectionLimit">-1 for none.</param>
/// <param name="PasswordHash">SCRAM or MD5, as pg_authid has it; null where there is none, or it could not be read.</param>
internal sealed record RoleAttributes(IReadOnlyDictionary<string, bool> Flags, int ConnectionLimit, Secret? PasswordHash, string? ValidUntil)
{
    public static readonly RoleAttributes None = new(new Dictionary<string, bool>(), -1, null, null);

    /// <summary>Flags that only a superuser may name, even to say no (user.c, AlterRole).</summary>
    private static readonly string[] s_superuserOnly = ["superuser", "replication", "bypassrls"];

    /// <summary>Whether only a superuser can create such a role.</summary>
    public bool NeedsSuperuser => s_superuserOnly.Any(flag => Flags.GetValueOrDefault(flag));

    /// <param name="tokens">Of the whole statement: ALTER, ROLE, the name, WITH, the attributes.</param>
    public static RoleAttributes From(IReadOnlyList<SqlToken> tokens)
    {
        Dictionary<string, bool> flags = [];
        int limit = -1;
        Secret? password = null;
        string? until = null;
        for (int i = 4; i < tokens.Count; i++)
        {
            string word = tokens[i].Value;
            if (tokens[i].Is("password") && i + 1 < tokens.Count)
                password = new Secret(tokens[++i].Value);
            else if (tokens[i].Is("connection") && i + 2 < tokens.Count)
                limit = Limit(tokens, ref i);
            else if (tokens[i].Is("valid") && i + 2 < tokens.Count)
                until = tokens[i += 2].Value;
            else if (tokens[i].Kind == SqlTokenKind.Word)
                flags[word.StartsWith("no", StringComparison.Ordinal) ? word[2..] : word] = !word.StartsWith("no", StringComparison.Ordinal);
        }

        return new RoleAttributes(flags, limit, password, until);
    }

    /// <summary>The attributes as SQL, for a session that is not a superuser's: without the flags that it may not name.</summary>
    public string WithoutSuperuserFlags()
    {
        IEnumerable<string> words = Flags.Where(flag => !s_superuserOnly.Contains(flag.Key)).Select(static flag => (flag.Value ? "" : "NO") + flag.Key);
        if (ConnectionLimit != -1)
            words = words.Append(string.Create(CultureInfo.InvariantCulture, $"CONNECTION LIMIT {ConnectionLimit}"));
        if (PasswordHash is not null)
            words = words.Append($"PASSWORD {SqlText.Literal(PasswordHash.Reveal())}");
        if (ValidUntil is not null)
            words = words.Append($"VALID UNTIL {SqlText.Literal(ValidUntil)}");
        return string.Join(' ', words);
    }

    /// <summary>All attributes as SQL, what is not set included, so that they become these whatever they were.</summary>
    /// <param name="passwords">Whether no hash means no password; else it says nothing, and the password stays.</param>
    public string WholeSql(bool passwords)
    {
        IEnumerable<string> words = Flags.Select(static flag => (flag.Value ? "" : "NO") + flag.Key)
            .Append(string.Create(CultureInfo.InvariantCulture, $"CONNECTION LIMIT {ConnectionLimit}"))
            .Append($"VALID UNTIL {SqlText.Literal(ValidUntil ?? "infinity")}");
        if (passwords)
            words = words.Append("PASSWORD " + (PasswordHash is null ? "NULL" : SqlText.Literal(PasswordHash.Reveal())));
        return string.Join(' ', words);
    }

    /// <summary>What differs, in words that give no secret away; empty where nothing does.</summary>
    /// <param name="comparePasswords">False where either side's passwords could not be read.</param>
    public IEnumerable<string> DifferencesTo(RoleAttributes target, bool comparePasswords)
    {
        foreach ((string flag, bool value) in Flags)
        {
            if (target.Flags.TryGetValue(flag, out bool other) && other != value)
                yield return $"{(other ? "" : "no")}{flag} there, {(value ? "" : "no")}{flag} in the snapshot";
        }

        if (ConnectionLimit != target.ConnectionLimit)
            yield return string.Create(CultureInfo.InvariantCulture, $"connection limit {target.ConnectionLimit} there, {ConnectionLimit} in the snapshot");
        if (!SameMoment(ValidUntil, target.ValidUntil))
            yield return $"valid until {target.ValidUntil ?? "always"} there, {ValidUntil ?? "always"} in the snapshot";
        if (comparePasswords && PasswordHash?.Reveal() != target.PasswordHash?.Reveal())
            yield return (PasswordHash, target.PasswordHash) switch
            {
                (null, _) => "a password there, none in the snapshot",
                (_, null) => "no password there, one in the snapshot",
                _ => "another password",
            };
    }

    private static int Limit(IReadOnlyList<SqlToken> tokens, ref int at)
    {
        at += 2; // CONNECTION LIMIT
        bool negative = tokens[at].IsSymbol('-') && at + 1 < tokens.Count;
        if (negative)
            at++;
        int value = int.Parse(tokens[at].Value, CultureInfo.InvariantCulture);
        return negative ? -value : value;
    }

    // The servers may be in different time zones, and then write one moment differently.
    private static bool SameMoment(string? left, string? right) =>
        left == right || (left ?? "infinity") == (right ?? "infinity") || (Moment(left) is { } a && Moment(right) is { } b && a == b);

    private static DateTimeOffset? Moment(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment) ? moment : null;
}
