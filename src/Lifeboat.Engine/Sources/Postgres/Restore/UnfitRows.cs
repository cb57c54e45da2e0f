using System.Collections.Concurrent;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// What captured rows did not let be made as it was: rows that no index, key or check would let in any more are kept, and what they break is left not valid, or
/// out. Each is told; verification expects just that.
/// </summary>
internal sealed class UnfitRows(RestoreTarget target)
{
    private readonly ConcurrentDictionary<(RelationName On, string Name), bool> _notValid = new();
    private readonly ConcurrentDictionary<string, PostDataStatement> _leftOut = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<RelationName, bool> _indexesLeftOut = new();

    /// <summary>Whether there are any.</summary>
    public bool Any => !_notValid.IsEmpty || !_leftOut.IsEmpty;

    /// <summary>Whether an index was left out, by its schema and name.</summary>
    public bool IsLeftOut(RelationName index) => _indexesLeftOut.ContainsKey(index);

    /// <summary>A constraint stays as one that rows need not keep to.</summary>
    public void LeaveNotValid(ConstraintValidation one, string rows)
    {
        _notValid[(one.On, one.Name)] = true;
        Warn(
            $"{one.Words} is restored NOT VALID: {rows}",
            $"what is written from now on must keep to it. Mend or delete these rows, then run {one.Sql}");
    }

    /// <summary>Whether a foreign key or another constraint of a table was left out.</summary>
    public bool IsLeftOut(RelationName on, string constraint) => _leftOut.Values.Any(one => one.On == on && one.Name == constraint);

    /// <summary>What a partition or heir has of such a constraint.</summary>
    /// <param name="own">Whether it would have it without its parent as well.</param>
    public void LeaveNotValid(RelationName on, string name, bool own) => _notValid.TryAdd((on, name), own);

    /// <summary>An index, or a constraint that is one, or a foreign key, is not made at all.</summary>
    public void LeaveOut(PostDataStatement statement, string why)
    {
        if (statement.Kind == PostDataKind.Index)
            _indexesLeftOut.TryAdd(statement.Index, true);
        if (_leftOut.TryAdd(statement.Captured.Text, statement))
            Warn(
                $"{(statement.Kind == PostDataKind.Index ? "index" : "foreign key")} {statement.Name} of {statement.On} is left out: {why}",
                $"mend or delete these rows, then run: {Short(statement.Text)}");
    }

    /// <summary>What is said of something that was left out goes with it, without a word.</summary>
    public void LeaveOutWith(PostDataStatement statement) => _leftOut.TryAdd(statement.Captured.Text, statement);

    /// <summary>The captured statements, as they are when these rows are there.</summary>
    public IEnumerable<SqlStatement> Expected(SqlStatement captured, Func<string, string> decode)
    {
        if (!Any)
            return [captured];
        if (_leftOut.ContainsKey(captured.Text))
            return [];
        return new NotValidForm((on, name) => _notValid.TryGetValue((on, name), out bool own) ? own : null, decode).Of(captured);
    }

    private void Warn(string message, string hint) => target.Context.Progress.Report(new Warned(
        target.Source, new Problem(ErrorCodes.PostgresRowsUnfit, message, hint, target.Source)));

    private static string Short(string sql) => sql.Length > 300 ? sql[..300] + "…" : sql.ReplaceLineEndings(" ");
}
