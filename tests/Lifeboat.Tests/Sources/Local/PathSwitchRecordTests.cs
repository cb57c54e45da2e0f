using System.Text;
using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Tests.Sources.Local;

public sealed class PathSwitchRecordTests
{
    [Theory]
    [InlineData("./a/b", true)]
    [InlineData(".", true)]
    [InlineData("./..", false)]
    [InlineData("./a/../../b", false)]
    [InlineData("./a//b", false)]
    [InlineData("/etc", false)]
    [InlineData("..", false)]
    [InlineData("", false)]
    public void What_stays_is_inside_of_what_is_switched(string path, bool good)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        PathExchange exchange = new("/srv/files", "files__staging_a", "files__before_a", true, false, [], null);
        JsonElement inFolders = new PathSwitchRecord([exchange with { Staying = new Staying([new StayingFolder(bytes, null, null)], []) }], []).ToJson();
        JsonElement inPaths = new PathSwitchRecord([exchange with { Staying = new Staying([], [bytes]) }], []).ToJson();
        PathSwitchRecord Read(JsonElement record) => PathSwitchRecord.From(record, "files", PathNames.Of("files", "/srv/files"), []);
        foreach (JsonElement record in (JsonElement[])[inFolders, inPaths])
        {
            if (good)
                Assert.Equal(bytes, Read(record).Paths[0].Staying!.Folders.Select(static one => one.Path).Concat(Read(record).Paths[0].Staying!.Paths).Single());
            else
                Assert.Equal(ErrorCodes.JournalDamaged, Assert.Throws<LifeboatException>(() => Read(record)).Code);
        }
    }
}
