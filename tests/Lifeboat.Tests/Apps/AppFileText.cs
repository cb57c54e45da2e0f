using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Tests.Apps;

/// <summary>Reads app files out of texts, as if they lay in /srv/shop.</summary>
internal static class AppFileText
{
    public const string Folder = "/srv/shop";

    public static App Load(string yaml) => AppFile.Parse(Encoding.UTF8.GetBytes(yaml), Folder + "/lifeboat.yaml");

    public static IReadOnlyList<Problem> Problems(string yaml) => Problems(Encoding.UTF8.GetBytes(yaml));

    public static IReadOnlyList<Problem> Problems(byte[] bytes)
    {
        try
        {
            AppFile.Parse(bytes, Folder + "/lifeboat.yaml");
            return [];
        }
        catch (LifeboatException e)
        {
            return e.Problems;
        }
    }
}
