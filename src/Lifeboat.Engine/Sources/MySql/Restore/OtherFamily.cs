using System.Text.RegularExpressions;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>What a snapshot of MariaDB has that MySQL has not, or the other way round.</summary>
internal static partial class OtherFamily
{
    private static readonly string[] s_ofMariaDb = ["UUID", "INET4", "INET6", "XMLTYPE"];
    private static readonly string[] s_ofMySql = ["VECTOR", "JSON"];

    /// <param name="creates">CREATE TABLE of each table.</param>
    public static IEnumerable<string> Lacks(MySqlDetails details, IReadOnlyList<string> creates, IReadOnlyList<Account> accounts)
    {
        bool mariadb = details.Family == "mariadb";
        if (details.Sequences.Count > 0)
            yield return $"sequences ({Some(details.Sequences.Select(static s => s.Name))})";
        if (details.Objects.Where(static o => o.Kind == "package").Select(static o => o.Name).ToArray() is { Length: > 0 } packages)
            yield return $"packages ({Some(packages)})";
        if (details.Tables.Where(static t => t.Versioned).Select(static t => t.Name).ToArray() is { Length: > 0 } versioned)
            yield return $"system-versioned tables ({Some(versioned)})";
        string[] types = mariadb ? s_ofMariaDb : s_ofMySql;
        foreach (IGrouping<string, string> type in creates
            .SelectMany((create, i) => (TableDefinition.Read(create)?.Parts ?? [])
                .Where(part => part is { Kind: TablePartKind.Column, Tokens.Count: > 1 } && types.Any(part.Tokens[1].IsWord))
                .Select(part => (Type: part.Tokens[1].Value.ToUpperInvariant(), Column: $"{details.Tables[i].Name}.{part.Name}")))
            .GroupBy(static one => one.Type, static one => one.Column))
            yield return mariadb || type.Key != "JSON" ? $"the type {type.Key} ({Some(type)})" : $"the type JSON as MySQL has it ({Some(type)})";
        if (accounts.SelectMany(static a => AccountReader.Plugins(a.Create)).Distinct().ToArray() is { Length: > 0 } plugins)
            yield return $"accounts with the authentication plugins {string.Join(", ", plugins)}";
        if (accounts.Where(static a => a.IsPlainRole).Select(static a => a.Name).ToArray() is { Length: > 0 } roles)
            yield return $"roles without a host ({Some(roles)})";
        string[] dynamic = [.. accounts.SelectMany(static a => a.Grants).Select(static grant => DynamicRights().Match(grant)).Where(static m => m.Success)
            .SelectMany(static m => m.Groups[1].Value.Split(',')).Distinct()];
        if (dynamic.Length > 0)
            yield return $"the dynamic privileges {Some(dynamic)}";
        if (accounts.SelectMany(static a => a.Grants).Any(static grant => grant.StartsWith("REVOKE ", StringComparison.Ordinal)))
            yield return "partial revokes";
    }

    private static string Some(IEnumerable<string> names) => names.ToArray() is var all && all.Length > 5 ? $"{string.Join(", ", all[..5])}, …" : string.Join(", ", all);

    [GeneratedRegex(@"^GRANT ([A-Z]+_[A-Z_]+(?:,[A-Z_]+)*) ON \*\.\* ")]
    private static partial Regex DynamicRights();
}
