using System.Text.RegularExpressions;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// What a journal's record of a database's switch may hold beside names. MySQL has no other form of routines, views, triggers, events and grants than the
/// statements that its server prints, so these are in it; each must be of the one form that the server prints for what it is said to be.
/// </summary>
internal static partial class RecordRules
{
    /// <exception cref="Errors.LifeboatException">It holds something else.</exception>
    public static DatabaseSwitchRecord Require(DatabaseSwitchRecord record, string source)
    {
        SwitchNames.RequireWhole(
            source, record.IncomingObjects, record.ObjectsFrom, record.IncomingOptions, record.IncomingAccounts, record.OutgoingAccounts, record.Grants, record.RoutineGrants,
            record.ForeignKeys);
        if (record.LiveState is { } live)
            SwitchNames.RequireWhole(source, live.ForeignKeys);
        IEnumerable<string> accounts = record.IncomingAccounts.Concat(record.OutgoingAccounts);
        IEnumerable<string> options = new[] { record.IncomingOptions, record.LiveState?.Options ?? "" };
        AccountState[] states = [.. (record.Changes?.Accounts ?? []).SelectMany(static one => new[] { one.Captured, one.Before })];
        IEnumerable<string> grants = [.. record.Grants, .. record.RoutineGrants, .. states.SelectMany(static state => state.Grants)];
        if (accounts.FirstOrDefault(static sql => !DropAccount().IsMatch(sql)) is not null)
            throw SwitchNames.Foreign(source, "a statement that drops no account");
        if (options.FirstOrDefault(static text => !DatabaseOptions().IsMatch(text)) is not null || states.Any(static state => !AccountOptions().IsMatch(state.Options)))
            throw SwitchNames.Foreign(source, "options that there are not");
        if (grants.FirstOrDefault(static sql => !IsGrant(sql)) is not null)
            throw SwitchNames.Foreign(source, "a statement that grants nothing");
        IEnumerable<OutwardKey> keys = record.ForeignKeys.Concat(record.LiveState?.ForeignKeys ?? []);
        if (keys.SelectMany(static key => key.Keys.Prepend(key.Definition)).FirstOrDefault(static sql => Quoted().Replace(sql, "").Contains(';', StringComparison.Ordinal)) is not null)
            throw SwitchNames.Foreign(source, "a foreign key that is none");
        if (record.Began is { } time && !Moment().IsMatch(time))
            throw SwitchNames.Foreign(source, $"the time {time}");
        foreach (Definition one in record.IncomingObjects.Concat(record.LiveState?.Objects ?? []))
            Require(one, source);
        return record;
    }

    private static void Require(Definition one, string source)
    {
        string[] settings = [.. one.Statements.Where(static sql => Settings().IsMatch(sql) || Collation().IsMatch(sql))];
        string[] others = [.. one.Statements.Except(settings)];
        if (Creation().Match(others.Length == 1 ? others[0] : "") is not { Success: true } creation
            || !creation.Groups["kind"].Value.Replace("  ", " ", StringComparison.Ordinal).Equals(one.Kind, StringComparison.OrdinalIgnoreCase))
            throw SwitchNames.Foreign(source, $"a statement that does not make the {one.Kind} {one.Name}");
    }

    /// <summary>One statement of a grant's or its inverse's: names and texts in quotes, and no semicolon outside of them.</summary>
    private static bool IsGrant(string sql) => GrantStart().IsMatch(sql) && !Quoted().Replace(sql, "").Contains(';', StringComparison.Ordinal) && GrantText.Grantee(sql).Length > 0;

    [GeneratedRegex(@"\ADROP (?:ROLE|USER) IF EXISTS (?:`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*')(?:@(?:`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'))?\z")]
    private static partial Regex DropAccount();

    [GeneratedRegex(@"\A(?:GRANT|REVOKE|SET DEFAULT ROLE|ALTER USER) ")]
    private static partial Regex GrantStart();

    [GeneratedRegex(@"`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'", RegexOptions.Singleline)]
    private static partial Regex Quoted();

    /// <summary>As SHOW CREATE DATABASE prints them: words, texts in quotes, and comments that the server executes.</summary>
    [GeneratedRegex(@"\A(?:[\w =]|/\*M?!\d{5,6} |\*/|'(?:[^'\\]|\\.|'')*')*\z", RegexOptions.Singleline)]
    private static partial Regex DatabaseOptions();

    [GeneratedRegex(@"\A(?:[\w .]|'(?:[^'\\]|\\.|'')*')*\z", RegexOptions.Singleline)]
    private static partial Regex AccountOptions();

    [GeneratedRegex(@"\A[0-9: .-]*\z")]
    private static partial Regex Moment();

    [GeneratedRegex(@"\ASET character_set_client = \w+, collation_connection = \w+, sql_mode = '[\w,]*'(?:, time_zone = '(?:[^'\\]|\\.|'')*')?\z")]
    private static partial Regex Settings();

    [GeneratedRegex(@"\AALTER DATABASE COLLATE \w+\z")]
    private static partial Regex Collation();

    [GeneratedRegex(
        @"\A\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:ALGORITHM\s*=\s*\w+\s+)?(?:DEFINER\s*=\s*\S+\s+)?(?:SQL\s+SECURITY\s+\w+\s+)?(?:AGGREGATE\s+)?(?:JSON\s+(?:RELATIONAL\s+)?DUALITY\s+)?(?<kind>PACKAGE\s+BODY|PACKAGE|FUNCTION|PROCEDURE|VIEW|TRIGGER|EVENT|LIBRARY)\s",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Creation();
}
