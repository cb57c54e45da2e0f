namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>
/// In which order grants can be given: each after the one that lets its grantor give it. Before version 16 the grantor of a membership is only noted; from then on
/// it must have the right, as with parameters.
/// </summary>
/// <param name="superuser">Whether another grantor than the session's user can be named at all.</param>
/// <param name="bootstrapUser">The role that initdb made, which may give everything.</param>
/// <param name="exists">Whether a role is there.</param>
internal sealed class GrantOrder(int major, bool superuser, string bootstrapUser, Func<string, bool> exists)
{
    /// <param name="there">What has been given already.</param>
    /// <returns>All of the grants; without a grantor where that one cannot be had.</returns>
    public List<Grant> Of(IEnumerable<Grant> grants, IEnumerable<Grant> there)
    {
        HashSet<(string On, string To)> passed = [.. there.Where(static grant => grant.PassesOn).Select(static grant => grant.Pair)];
        bool mayBeNamed(Grant grant) => grant.By is not { } by || (superuser && (by.Length == 0 || (exists(by)
            && ((grant is Membership && major < 16) || by == bootstrapUser || passed.Contains((grant.Pair.On, by))))));
        List<Grant> left = [.. grants], ordered = [];
        while (left.Count > 0)
        {
            int next = left.FindIndex(mayBeNamed);
            Grant grant = next < 0 ? left[0].WithoutGrantor() : left[next];
            left.RemoveAt(Math.Max(next, 0));
            if (grant.PassesOn)
                passed.Add(grant.Pair);
            int same = grant.By is null ? ordered.FindIndex(one => one.By is null && one.Pair == grant.Pair) : -1;
            if (same < 0)
                ordered.Add(grant);
            else
                ordered[same] = ordered[same].And(grant);
        }

        return ordered;
    }
}
